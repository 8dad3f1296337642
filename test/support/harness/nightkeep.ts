import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import type { Environment } from '../../../src/config/environment.ts';

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `nightkeep …` as a process of its own. */
export interface Nightkeep extends AsyncDisposable {
  readonly pid: number;
  /** What it said so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
  /** To it and all that it started, as Ctrl-C in a terminal is. */
  signalGroup(name: NodeJS.Signals): void;
  /** Waits until it serves. Throws what it said where it ends instead. */
  started(): Promise<void>;
}

const program = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Runs the command in this folder, with nothing in its environment but these settings, and with these words in front; disposed of, it is killed. */
export function nightkeep(
  words: readonly string[],
  settings: Environment,
  folder: string,
  prefix: readonly string[] = [],
): Nightkeep {
  const env = { PATH: process.env.PATH, HOME: folder, ...settings };
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, program, ...words];
  const child = spawn(command, rest, { env, cwd: folder, detached: true });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const pid = child.pid ?? 0;
  let over = false;
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    over = true;
    return { code: code ?? null, ...said };
  });
  return {
    pid,
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    ended,
    signal: (name) => void child.kill(name),
    signalGroup: (name) => void process.kill(-pid, name),
    started: () =>
      eventually(() => {
        if (over) throw new Error(`It ended instead: ${said.stdout}${said.stderr}`);
        return /^Nightkeep (listens on|works)/m.test(said.stdout);
      }),
    [Symbol.asyncDispose]: async () => {
      if (!over) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Waits until it is so, and not for ever; long enough for a start where other work has the processors. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(isSo, { timeout: 100_000, interval: 20 });
}

/**
 * What a service logged between its start and its end, in order. Throws where it does not tell of both, or standard error
 * holds anything but the log.
 */
export function eventsOf(stderr: string): string[] {
  const events = stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line): string => JSON.parse(line).event);
  const isLifecycle = (event: string) => event.startsWith('service.');
  expect(events.filter(isLifecycle)).toEqual(['service.started', 'service.stopped']);
  return events.filter((event) => !isLifecycle(event));
}

/** It says what is wrong in words for people: no stack, and none of these secrets. */
export function expectPlainWords({ stdout, stderr }: Ended, secrets: readonly string[]): void {
  expect(stderr).not.toMatch(/^ +at |Internal error/m);
  for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
}
