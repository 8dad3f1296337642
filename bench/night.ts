/**
 * Times three nights (first, unchanged, one file changed) of one person's files on a real Apache mod_dav: Nightkeep, what a
 * user would script, and the ideal pipeline. `node bench/night.ts [--json] [--latency 0,20,80] [--protocol http,https,h2] [--rounds N] [--without-stock] [--warm] [--keep DIR]`.
 *
 * - ours: Nightkeep's WebDAV source, archiver and a repository in a folder, in one process.
 * - stock: `rclone sync`, then `restic backup`, as installed. Debian's rclone limits itself to 100 requests a second.
 * - ideal: a client that only lists and fetches over 16 connections, then `restic backup` of files that are already there.
 *   No pipeline that first fetches and then backs up over as many connections can be faster.
 * - spotCheck: an unchanged night of ours that reads a sample again, as the service does each night.
 *
 * Each time is that of a process from start to end. Nightkeep and the client run with a warm compile cache, as a service that
 * runs all the time has its code compiled, and with the memory flags of `npm start`. Every step gets fresh folders, `sync`
 * runs before each, and nothing is deleted between the nights of a round.
 *
 * A process that has just begun runs code that is loaded but hardly optimized, and a worker runs for weeks: with `--warm`, `warmMs` and `warmCpuMs` are what each night
 * of ours takes in a process that had two others before, and `warmOverIdeal` compares it with the same ideal, whose processes begin each night as a script does.
 *
 * With https Apache stands behind an nginx that speaks TLS. With h2 that one offers HTTP/2 as well: the client takes it, for its requests at
 * once on as few connections as it likes; Nightkeep asks by HTTP/1.1 wherever it asks.
 *
 * With a latency all of them reach Apache through a relay in a process of its own, which adds so many milliseconds to each round trip (see
 * night/relay.ts). Processor time is told of each side: of ours, the bare client and restic, and what server and relay took
 * meanwhile. All figures are medians of the rounds, `overIdeal` that of their ratios.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { openLocalBackend } from '../src/store/backend/local.ts';
import { scryptCosts } from '../src/store/format/key-file.ts';
import { initRepository } from '../src/store/repository/repository.ts';
import { makeCertificate } from '../test/support/fixtures/certificate.ts';
import { serviceFlags } from '../test/support/fixtures/service-flags.ts';
import { startApache } from '../test/support/servers/apache.ts';
import { startTlsFront } from '../test/support/servers/nginx.ts';
import type { RunningServer } from '../test/support/servers/server-process.ts';
import { type Cost, measure } from './measure.ts';
import { changeOneFile, writeFiles } from './night/files.ts';
import { msOfGroup, msOfProcess } from './processor-time.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    latency: { type: 'string', default: '0' },
    protocol: { type: 'string', default: 'http' },
    rounds: { type: 'string', default: '1' },
    'without-stock': { type: 'boolean' },
    warm: { type: 'boolean' },
    keep: { type: 'string' },
  },
});
const latencies = options.latency.split(',').map(Number);
const protocols = options.protocol.split(',');
const rounds = Number(options.rounds);
if (![...latencies, rounds].every((number) => number >= 0)) throw new Error('--latency and --rounds take numbers.');
if (!protocols.every((name) => name === 'http' || name === 'https' || name === 'h2'))
  throw new Error('--protocol takes http, https and h2.');
const say = (text: string) => process.stderr.write(`${text}\n`);
const password = 'bench';
const names = ['first', 'unchanged', 'oneChanged', 'spotCheck'] as const;

type Figures = Record<string, number>;
/** The figures of each night. */
type Nights = Record<(typeof names)[number], Figures>;

/** Where the files are reached, and what gets them there. */
interface Way {
  readonly protocol: string;
  readonly latencyMs: number;
  readonly url: string;
  /** Apache, and nginx before it where there is one. */
  readonly servers: readonly RunningServer[];
  readonly relay: ChildProcess | undefined;
}

const home = options.keep ?? (await mkdtemp(join(tmpdir(), 'nightkeep-bench-')));
await mkdir(home, { recursive: true });
await chmod(home, 0o755);
const root = join(home, 'cloud');
await mkdir(root);
say(`making 10,000 texts and 20 large files in ${root}`);
await writeFiles(root);
await using opened = new AsyncDisposableStack();
const server = opened.use(await startApache({ root }));
const certificate = protocols.every((name) => name === 'http')
  ? undefined
  : await makeCertificate(home, 'IP:127.0.0.1');
const ways: Way[] = [];
for (const protocol of protocols) {
  const front =
    certificate &&
    protocol !== 'http' &&
    (await startTlsFront({ to: server.url, certificate, http2: protocol === 'h2' }));
  if (front) opened.use(front);
  for (const latencyMs of latencies) ways.push(await openWay(protocol, latencyMs, front ? [front, server] : [server]));
}

await warmUp();
const took = new Map<Way, Nights[]>(ways.map((way) => [way, []]));
for (let round = 1; round <= rounds; round++) {
  for (const [way, nights] of took)
    nights.push(await nightsOver(way, join(home, `${way.protocol}-${way.latencyMs}-${round}`)));
}
for (const { relay } of ways) relay?.disconnect();
const results = [...took].map(([{ protocol, latencyMs }, all]) => ({ protocol, latencyMs, ...medians(all) }));
if (!options.json)
  for (const { protocol, latencyMs, ...nights } of results)
    console.table({ [`${protocol}, ${latencyMs} ms`]: {}, ...nights });
console.log(JSON.stringify({ rounds, results }));
if (options.keep === undefined) await rm(home, { recursive: true });

async function openWay(
  protocol: string,
  latencyMs: number,
  servers: readonly [RunningServer, ...RunningServer[]],
): Promise<Way> {
  const [{ url }] = servers;
  if (latencyMs === 0) return { protocol, latencyMs, url, servers, relay: undefined };
  const relay = fork(join(import.meta.dirname, 'night', 'relay.ts'), [new URL(url).port, String(latencyMs)]);
  const [port] = await once(relay, 'message');
  return { protocol, latencyMs, url: url.replace(/:\d+/, `:${port}`), servers, relay };
}

/** What one round of nights takes, in new repositories. */
async function nightsOver(way: Way, folder: string): Promise<Nights> {
  await mkdir(folder);
  const ours = await ownRepository(join(folder, 'ours'));
  const warm = options.warm ? await ownRepository(join(folder, 'warm')) : undefined;
  const ideal = await stockRepository(join(folder, 'ideal'));
  const scripted = options['without-stock'] ? undefined : await scriptedPipeline(way, folder);
  const night = async (name: string): Promise<Figures> => {
    const oursTook = await beside(way, node('nightkeep.ts', way.url, ours, password));
    const bare = await beside(way, node('bare-client.ts', way.url, join(folder, 'bare-state.json'), way.protocol));
    const restic = await measure(backup(ideal, root));
    const { requests, bytes, problems } = lastLine(oursTook);
    if (problems !== 0) throw new Error(`${name}: Nightkeep's night had problems.`);
    const idealMs = bare.ms + restic.ms;
    const overIdeal = (ms: number) => Math.round((ms / idealMs) * 1000) / 1000;
    const warmTook = warm === undefined ? undefined : await warmNight(way, warm, join(folder, `before ${name}`));
    const figures = {
      overIdeal: overIdeal(oursTook.ms),
      ...{ ms: oursTook.ms, cpuMs: oursTook.cpuMs, serverCpuMs: oursTook.serverCpuMs, relayCpuMs: oursTook.relayCpuMs },
      ...{ rssMB: oursTook.rssMB, requests, bytes },
      ...{ idealMs, bareMs: bare.ms, bareCpuMs: bare.cpuMs, bareServerCpuMs: bare.serverCpuMs },
      ...{ bareRelayCpuMs: bare.relayCpuMs, bareRssMB: bare.rssMB },
      ...{ resticMs: restic.ms, resticCpuMs: restic.cpuMs, resticRssMB: restic.rssMB },
      ...(warmTook && { ...warmTook, warmOverIdeal: overIdeal(warmTook.warmMs) }),
      ...(scripted && { stockMs: await scripted() }),
    };
    say(`${way.protocol}, ${way.latencyMs} ms, ${name}: ${JSON.stringify(figures)}`);
    return figures;
  };
  const first = await night('first');
  const unchanged = await night('unchanged');
  await changeOneFile(root, folder);
  const oneChanged = await night('oneChanged');
  const spotCheck = await spotChecked(way, ours, unchanged);
  await rm(folder, { recursive: true });
  return { first, unchanged, oneChanged, spotCheck };
}

/** A night of ours in a process that had others before, whose snapshots go to a repository that is thrown away. */
async function warmNight(way: Way, repository: string, before: string): Promise<{ warmMs: number; warmCpuMs: number }> {
  await ownRepository(before);
  const cost = await measure(node('nightkeep.ts', way.url, repository, password, '--after', before));
  await rm(before, { recursive: true });
  const { insideMs, insideCpuMs } = lastLine(cost);
  return { warmMs: insideMs, warmCpuMs: insideCpuMs };
}

/** An unchanged night that reads a sample of the files again, as the service does each night. */
async function spotChecked(way: Way, ours: string, { ms = Number.NaN }: Figures): Promise<Figures> {
  const cost = await beside(way, node('nightkeep.ts', way.url, ours, password, '--spot-check'));
  const { requests, bytes } = lastLine(cost);
  return {
    ...{ ms: cost.ms, cpuMs: cost.cpuMs, rssMB: cost.rssMB, requests, bytes },
    overUnchanged: Math.round((cost.ms / ms) * 100) / 100,
  };
}

/** A step, and the processor time that server and relay took meanwhile. */
async function beside({ relay, servers }: Way, step: Parameters<typeof measure>[0]) {
  const relayMs = () => (relay?.pid === undefined ? 0 : msOfProcess(relay.pid));
  const serverMs = () => servers.reduce((sum, { pid }) => sum + msOfGroup(pid), 0);
  const [serverBefore, relayBefore] = [serverMs(), relayMs()];
  const cost = await measure(step);
  return { ...cost, serverCpuMs: serverMs() - serverBefore, relayCpuMs: relayMs() - relayBefore };
}

function medians(all: readonly Nights[]): Nights {
  const night = (name: keyof Nights): Figures => {
    const figures = all.map((nights) => nights[name]);
    return Object.fromEntries(
      Object.keys(figures[0] ?? {}).map((figure) => [figure, median(figures.map((one) => one[figure] ?? Number.NaN))]),
    );
  };
  const [first, unchanged, oneChanged, spotCheck] = names.map(night) as [Figures, Figures, Figures, Figures];
  return { first, unchanged, oneChanged, spotCheck };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs a small night to fill the compile cache, with a thread that seals, and reads every file once so that server and disk are warm for all. */
async function warmUp(): Promise<void> {
  const small = join(home, 'small');
  await mkdir(small);
  await writeFile(join(small, 'text.txt'), 'a text that needs a thread, '.repeat(100_000));
  await using smallServer = await startApache({ root: small });
  const repository = join(home, 'warm-up');
  await initRepository(openLocalBackend(repository), { password, clock: systemClock() });
  await measure(node('nightkeep.ts', smallServer.url, repository, password));
  await measure(node('bare-client.ts', server.url, join(home, 'warm-up.json'), 'http'));
}

/** How long what a user would script takes, in milliseconds, each time that it is called. */
async function scriptedPipeline({ url }: Way, folder: string): Promise<() => Promise<number>> {
  const repository = await stockRepository(join(folder, 'scripted'));
  const configuration = join(folder, 'rclone.conf');
  await writeFile(configuration, `[cloud]\ntype = webdav\nurl = ${url}\nvendor = other\n`);
  const synced = join(folder, 'synced');
  const args = ['sync', '--config', configuration, '--transfers', '16', '--checkers', '16', 'cloud:', synced];
  return async () => {
    const sync = await measure({ command: 'rclone', args });
    const restic = await measure(backup(repository, synced));
    return sync.ms + restic.ms;
  };
}

function node(script: string, ...args: string[]) {
  const env = {
    NODE_COMPILE_CACHE: join(home, 'compile-cache'),
    ...(certificate && { NODE_EXTRA_CA_CERTS: certificate.certFile }),
  };
  return {
    command: process.execPath,
    args: [...serviceFlags, join(import.meta.dirname, 'night', script), ...args],
    env,
  };
}

/** A new repository of ours, as the service makes it. Answers its path. */
async function ownRepository(path: string): Promise<string> {
  const scrypt = scryptCosts.forRandomPasswords;
  await initRepository(openLocalBackend(path), { password, clock: systemClock(), scrypt });
  return path;
}

interface StockRepository {
  readonly path: string;
  readonly env: Record<string, string>;
}

async function stockRepository(path: string): Promise<StockRepository> {
  const env = { RESTIC_REPOSITORY: path, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: `${path}-cache` };
  await measure({ command: 'restic', args: ['init'], env });
  return { path, env };
}

function backup({ env }: StockRepository, folder: string) {
  return { command: 'restic', args: ['backup', '--quiet', folder], env };
}

interface LastLine {
  readonly requests: number;
  readonly bytes: number;
  readonly problems: number;
  readonly insideMs: number;
  readonly insideCpuMs: number;
}

function lastLine({ output }: Cost): LastLine {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}
