import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DemoProvider, ProviderOptions } from '../../../demo/provider/provider.ts';
import type { ProviderWish } from './provider-server.ts';
import type { Place } from './server-process.ts';

type Parts = Pick<DemoProvider, 'admin' | 'faults' | 'log'>;

/** The demo's provider in a process of its own: what is tested can be killed while it lives, and the other way round. */
export interface ProviderProcess extends AsyncDisposable {
  readonly issuer: string;
  admin<Name extends keyof Parts['admin']>(
    name: Name,
    ...args: Parameters<Parts['admin'][Name]>
  ): Promise<Awaited<ReturnType<Parts['admin'][Name]>>>;
  log<Name extends keyof Parts['log']>(
    name: Name,
    ...args: Parameters<Parts['log'][Name]>
  ): Promise<ReturnType<Parts['log'][Name]>>;
  /** Faults that need no function: `next`, `seeded` and `clear`. */
  faults<Name extends 'next' | 'seeded' | 'clear'>(
    name: Name,
    ...args: Parameters<Parts['faults'][Name]>
  ): Promise<void>;
  /** Moves the provider's clock on. */
  shift(ms: number): Promise<void>;
  /** Kills it without a word (SIGKILL). */
  kill(): Promise<void>;
}

const program = fileURLToPath(new URL('./provider-server.ts', import.meta.url));

/** Starts it and waits until it answers. To go on after a `kill`, start it again with the same journal and port. */
export async function startProviderProcess(
  options: Omit<ProviderOptions, 'clock'>,
  place?: Pick<Place, 'prefix'>,
): Promise<ProviderProcess> {
  const [execPath = process.execPath, ...execArgv] = [...(place?.prefix ?? []), process.execPath];
  const child = fork(program, { serialization: 'advanced', execPath, execArgv });
  const ask = asking(child);
  const issuer = await ask<string>({ do: 'start', options });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    issuer,
    admin: (call, ...args) => ask({ do: 'admin', call, with: args }),
    log: (call, ...args) => ask({ do: 'log', call, with: args }),
    faults: (call, ...args) => ask({ do: 'faults', call, with: args }),
    shift: (ms) => ask({ do: 'shift', ms }),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

type Wish = ProviderWish extends infer Each ? (Each extends ProviderWish ? Omit<Each, 'id'> : never) : never;

interface Reply<Value> {
  id: number;
  value: Value;
  fault?: string;
}

/** Each wish has an answer of its own. Rejects when the process is gone. */
function asking(child: ChildProcess): <Value>(wish: Wish) => Promise<Value> {
  const waiting = new Map<number, { settle(reply: Reply<never>): void; reject(error: Error): void }>();
  let count = 0;
  child.on('message', (reply: Reply<never>) => {
    waiting.get(reply.id)?.settle(reply);
    waiting.delete(reply.id);
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The provider has gone.'));
  });
  return <Value>(wish: Wish) =>
    new Promise<Value>((resolve, reject) => {
      count += 1;
      const settle = ({ value, fault }: Reply<Value>) =>
        fault === undefined ? resolve(value) : reject(new Error(fault));
      waiting.set(count, { settle, reject });
      child.send({ ...wish, id: count }, (error) => error && reject(error));
    });
}
