import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requireProgram } from '../support/servers/programs.ts';
import type { Place } from '../support/servers/server-process.ts';

const run = promisify(execFile);
const ip = (...words: string[]) => run('ip', words);

/** A machine of its own as far as the network goes: a namespace with an address on the switch that all of them hang on. */
export interface Machine extends Place {
  readonly name: string;
}

export interface Network extends AsyncDisposable {
  /** The address of the test itself on the switch. */
  readonly host: string;
  machine(name: string): Promise<Machine>;
  /** Nothing gets from one to the other any more, either way, and neither is told; `mend` lets it through again. */
  part(one: Machine, other: Machine): Promise<void>;
  mend(one: Machine, other: Machine): Promise<void>;
}

/**
 * Why there can be no machines here; undefined where there can. In CI it throws that instead: a machine on which the suite cannot be
 * played must not look as if it had been.
 */
export async function whyNoNetwork(): Promise<string | undefined> {
  const lack = await findLack();
  if (lack === undefined) return undefined;
  const message = `test:chaos needs network namespaces (iproute2, root or CAP_NET_ADMIN and CAP_SYS_ADMIN): ${lack}`;
  if (process.env.CI) throw new Error(message);
  process.stderr.write(`\n!!! SKIPPED: ${message}\n\n`);
  return message;
}

async function findLack(): Promise<string | undefined> {
  if (requireProgram('ip', 'apt-get install iproute2') === undefined) return 'the program ip is missing.';
  try {
    await using network = await openNetwork();
    await network.machine('trial');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}

/** A switch with machines; all of it goes when it is disposed of, and what a run left behind that was killed goes first. */
export async function openNetwork(): Promise<Network> {
  await removeForsaken();
  await using opened = new AsyncDisposableStack();
  const bridge = `nk${process.pid}`;
  const net = `10.77.${process.pid % 256}`;
  const host = `${net}.1`;
  await ip('link', 'add', bridge, 'type', 'bridge');
  opened.defer(async () => void (await ip('link', 'del', bridge)));
  await ip('addr', 'add', `${host}/24`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
  let count = 1;
  const namespaceOf = ({ name }: Machine) => `${bridge}-${name}`;
  const deafen = (machine: Machine, to: Machine) => {
    const neighbour = ['neigh', 'replace', to.host, 'lladdr', '02:00:00:00:00:01', 'nud', 'permanent', 'dev', 'eth0'];
    return ip('-n', namespaceOf(machine), ...neighbour);
  };
  const hear = (machine: Machine, to: Machine) =>
    ip('-n', namespaceOf(machine), 'neigh', 'del', to.host, 'dev', 'eth0');
  const closing = opened.move();
  return {
    host,
    machine: async (name) => {
      count += 1;
      const namespace = `${bridge}-${name}`;
      const machine = { name, host: `${net}.${count}`, prefix: ['ip', 'netns', 'exec', namespace] };
      const cable = `${bridge}v${count}`;
      await ip('netns', 'add', namespace);
      closing.defer(async () => void (await ip('netns', 'del', namespace)));
      await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      await ip('link', 'set', cable, 'master', bridge, 'up');
      await ip('-n', namespace, 'addr', 'add', `${machine.host}/24`, 'dev', 'eth0');
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
      return machine;
    },
    part: async (one, other) => {
      await Promise.all([deafen(one, other), deafen(other, one)]);
    },
    mend: async (one, other) => {
      await Promise.all([hear(one, other), hear(other, one)]);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function removeForsaken(): Promise<void> {
  const { stdout } = await ip('netns', 'list');
  for (const [, namespace = '', pid = ''] of stdout.matchAll(/^(nk(\d+)-\S+)/gm))
    if (!isAlive(Number(pid))) await removeMachine(namespace);
  const links = await ip('-o', 'link', 'show', 'type', 'bridge');
  for (const [, bridge = '', pid = ''] of links.stdout.matchAll(/\b(nk(\d+)):/g))
    if (!isAlive(Number(pid))) await ip('link', 'del', bridge);
}

/** With the processes that still run on it. */
async function removeMachine(namespace: string): Promise<void> {
  const { stdout } = await ip('netns', 'pids', namespace);
  for (const pid of stdout.split('\n').filter((line) => line !== '')) process.kill(Number(pid), 'SIGKILL');
  await ip('netns', 'del', namespace);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
