/**
 * Times three nights (first, unchanged, one file changed) of one person's files on a real Apache mod_dav: Nightkeep, what a
 * user would script, and the ideal pipeline. `node bench/night.ts [--json] [--without-stock] [--keep DIR]`.
 *
 * - ours: Nightkeep's WebDAV source, archiver and a repository in a folder, in one process.
 * - stock: `rclone sync`, then `restic backup`, as installed. Debian's rclone limits itself to 100 requests a second.
 * - ideal: a client that only lists and fetches over 16 connections, then `restic backup` of files that are already there.
 *   No pipeline that first fetches and then backs up can be faster.
 * - spotCheck: an unchanged night of ours that reads a sample again, as the service does each night.
 *
 * Each time is that of a process from start to end. Nightkeep and the client run with a warm compile cache, as a service that
 * runs all the time has its code compiled, and with the memory flags of `npm start`. Every step gets fresh folders, `sync`
 * runs before each, and nothing is deleted before the end.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { openLocalBackend } from '../src/store/backend/local.ts';
import { scryptCosts } from '../src/store/format/key-file.ts';
import { initRepository } from '../src/store/repository/repository.ts';
import { serviceFlags } from '../test/support/fixtures/service-flags.ts';
import { startApache } from '../test/support/servers/apache.ts';
import { type Cost, measure } from './measure.ts';
import { changeOneFile, writeFiles } from './night/files.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, 'without-stock': { type: 'boolean' }, keep: { type: 'string' } },
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const password = 'bench';

interface Night {
  ms: number;
  stockMs: number | null;
  idealMs: number;
  overIdeal: number;
  bareMs: number;
  rssMB: number;
  requests: number;
  bytes: number;
  insideMs: number;
  bareRssMB: number;
  resticMs: number;
  resticRssMB: number;
}

const home = options.keep ?? (await mkdtemp(join(tmpdir(), 'nightkeep-bench-')));
await mkdir(home, { recursive: true });
await chmod(home, 0o755);
const root = join(home, 'cloud');
await mkdir(root);
say(`making 10,000 texts and 20 large files in ${root}`);
await writeFiles(root);
await using server = await startApache({ root });

const ours = join(home, 'ours');
await initRepository(openLocalBackend(ours), {
  password,
  clock: systemClock(),
  scrypt: scryptCosts.forRandomPasswords,
});
const ideal = await stockRepository('ideal');
const scripted = await stockRepository('scripted');
const rcloneConfig = join(home, 'rclone.conf');
await writeFile(rcloneConfig, `[cloud]\ntype = webdav\nurl = ${server.url}\nvendor = other\n`);

await warmUp();
const nights: Record<string, Night> = {};
for (const name of ['first', 'unchanged', 'oneChanged']) {
  if (name === 'oneChanged') await changeOneFile(root);
  nights[name] = await night(name);
  say(`${name}: ${JSON.stringify(nights[name])}`);
}
const spotCheck = await spotChecked();
if (!options.json) console.table(nights);
console.log(JSON.stringify({ ...nights, spotCheck }));
if (options.keep === undefined) await rm(home, { recursive: true });

async function night(name: string): Promise<Night> {
  const ourCost = await measure(node('nightkeep.ts', server.url, ours, password));
  const bare = await measure(node('bare-client.ts', server.url, join(home, 'bare-state.json')));
  const restic = await measure(backup(ideal, root));
  const stockMs = options['without-stock'] ? null : await stock();
  const { requests, bytes, insideMs, problems } = lastLine(ourCost);
  if (problems !== 0) throw new Error(`${name}: Nightkeep's night had problems.`);
  const idealMs = bare.ms + restic.ms;
  return {
    ms: ourCost.ms,
    stockMs,
    idealMs,
    overIdeal: Math.round((ourCost.ms / idealMs) * 1000) / 1000,
    bareMs: bare.ms,
    rssMB: ourCost.rssMB,
    requests,
    bytes,
    insideMs,
    bareRssMB: bare.rssMB,
    resticMs: restic.ms,
    resticRssMB: restic.rssMB,
  };
}

/** An unchanged night that reads a sample of the files again, as the service does each night. */
async function spotChecked() {
  const cost = await measure(node('nightkeep.ts', server.url, ours, password, 'spot-check'));
  const { requests, bytes } = lastLine(cost);
  return {
    ms: cost.ms,
    overUnchanged: Math.round((cost.ms / (nights.unchanged?.ms ?? 1)) * 100) / 100,
    requests,
    bytes,
  };
}

/** Runs a small night to fill the compile cache, and reads every file once so that server and disk are warm for all. */
async function warmUp(): Promise<void> {
  const small = join(home, 'small');
  await mkdir(small);
  await writeFile(join(small, 'text.txt'), 'a text');
  await using smallServer = await startApache({ root: small });
  const repository = join(home, 'warm-up');
  await initRepository(openLocalBackend(repository), { password, clock: systemClock() });
  await measure(node('nightkeep.ts', smallServer.url, repository, password));
  await measure(node('bare-client.ts', server.url, join(home, 'warm-up.json')));
}

async function stock(): Promise<number> {
  const folder = join(home, 'synced');
  const sync = await measure({
    command: 'rclone',
    args: ['sync', '--config', rcloneConfig, '--transfers', '16', '--checkers', '16', 'cloud:', folder],
  });
  const restic = await measure(backup(scripted, folder));
  return sync.ms + restic.ms;
}

function node(script: string, ...args: string[]) {
  const env = { NODE_COMPILE_CACHE: join(home, 'compile-cache') };
  return {
    command: process.execPath,
    args: [...serviceFlags, join(import.meta.dirname, 'night', script), ...args],
    env,
  };
}

interface StockRepository {
  readonly path: string;
  readonly env: Record<string, string>;
}

async function stockRepository(name: string): Promise<StockRepository> {
  const path = join(home, name);
  const env = { RESTIC_REPOSITORY: path, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(home, `${name}-cache`) };
  await measure({ command: 'restic', args: ['init'], env });
  return { path, env };
}

function backup({ env }: StockRepository, folder: string) {
  return { command: 'restic', args: ['backup', '--quiet', folder], env };
}

function lastLine({ output }: Cost): { requests: number; bytes: number; insideMs: number; problems: number } {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}
