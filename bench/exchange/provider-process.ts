import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Person } from '../../demo/people.ts';

export interface ProviderProcess extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: string;
  readonly redirectUri: string;
  readonly people: readonly Person[];
}

/** The demo's provider in a process of its own, with strict rotation and so many made-up people. */
export async function startProviderProcess(people: number): Promise<ProviderProcess> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'provider.ts'), [String(people)], {
    serialization: 'json',
  });
  const [said] = await once(child, 'message');
  return {
    ...said,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
