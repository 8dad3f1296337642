import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../src/database/server/free-port.ts';

/** A server that runs as our child until it is stopped. */
export interface RunningServer extends AsyncDisposable {
  /** With a trailing slash. */
  readonly url: string;
  /** Of its process, and of the group of all that it starts. */
  readonly pid: number;
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export interface Program {
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
}

/** Where a server runs: its address there, and the words in front of its command that bring it there. */
export interface Place {
  readonly host: string;
  readonly prefix: readonly string[];
}

const here: Place = { host: '127.0.0.1', prefix: [] };

export interface Manner {
  /** How long it may take until it accepts connections, and until it is gone when it was asked to go. */
  startMs?: number;
  stopMs?: number;
  /** The port that it must have; a free one where absent. */
  port?: number;
  /** Here, on loopback, where absent. */
  place?: Place | undefined;
}

/**
 * Starts a server in the foreground on a free port and waits until it accepts connections.
 * `program` writes the configuration for that port. Another program may take the port in between, so it is tried thrice.
 */
export async function startServerProcess(
  program: (port: number) => Promise<Program>,
  whenStopped: () => Promise<void> = async () => {},
  { startMs = 10_000, stopMs = 3_000, port: wanted, place = here }: Manner = {},
): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await freePort());
    const { command, args, env } = await program(port);
    const [first = command, ...rest] = [...place.prefix, command, ...args];
    const child = spawn(first, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    });
    const output = collectOutput(child);
    const at = { host: place.host, port };
    if (await accepts(at, child, startMs)) return running(child, at, stopMs, whenStopped);
    await end(child, stopMs);
    if (attempt < 3) continue;
    await whenStopped();
    throw new Error(`${command} did not start: ${output()}`);
  }
}

/** Starts PHP's own web server, in which this script answers all that is asked. */
export function startPhpServer(php: string, script: string, whenStopped: () => Promise<void>): Promise<RunningServer> {
  const program = async (port: number) => ({
    command: php,
    args: ['-S', `127.0.0.1:${port}`, script],
    env: { PHP_CLI_SERVER_WORKERS: '4' },
  });
  return startServerProcess(program, whenStopped);
}

interface Listening {
  readonly host: string;
  readonly port: number;
}

function running(child: ChildProcess, at: Listening, stopMs: number, whenStopped: () => Promise<void>): RunningServer {
  const killWithUs = () => signalGroup(child, 'SIGKILL');
  process.once('exit', killWithUs);
  let stopped: Promise<void> | undefined;
  const ended = (ending: () => Promise<void>) => {
    stopped ??= ending().then(() => {
      process.off('exit', killWithUs);
      return whenStopped();
    });
    return stopped;
  };
  const stop = () => ended(() => end(child, stopMs));
  const kill = () =>
    ended(async () => {
      await end(child, 0, 'SIGKILL');
      // The shell that started it is gone before the server is.
      while (await answers(at)) await sleep(25);
    });
  return { url: `http://${at.host}:${at.port}/`, pid: child.pid ?? 0, stop, kill, [Symbol.asyncDispose]: stop };
}

/** The last lines a server said, for the error that tells why it did not start. */
function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4000);
    });
  }
  return () => text;
}

async function accepts(at: Listening, child: ChildProcess, startMs: number): Promise<boolean> {
  const until = performance.now() + startMs;
  while (performance.now() < until && child.exitCode === null && child.signalCode === null) {
    if (await answers(at)) return true;
    await sleep(25);
  }
  return false;
}

function answers({ host, port }: Listening): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const say = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => say(true));
    socket.once('error', () => say(false));
  });
}

/** Asks a child to go, and makes it go after a while. */
async function end(child: ChildProcess, stopMs: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  signalGroup(child, signal);
  const patience = new AbortController();
  const force = sleep(stopMs, undefined, { signal: patience.signal }).then(
    () => signalGroup(child, 'SIGKILL'),
    () => {},
  );
  await gone;
  patience.abort();
  await force;
}

/** To the server and the workers it made: PHP leaves its own behind. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone already.
  }
}
