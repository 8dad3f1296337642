/**
 * Measures what keeps a store small and sound, beside stock restic as installed, on copies of one repository and in turn:
 * `node bench/store.ts [--json] [--only PARTS] [--gb N] [--nights N] [--rounds N] [--latency MS]`; PARTS are some of these, with commas:
 *
 * - growth: what so many nights of one person leave in store and database, with retention, prunes and the ages of records.
 * - prune: of a repository of N GB of which 30 % is unused, until nothing is; stock with `--max-unused 0`.
 * - check: of what is left, with all data read.
 * - restore: of what is left, see bench/restore.ts.
 * - s3: nights into a bucket of which every answer takes 20 ms, see bench/s3.ts.
 *
 * Each piece of work is a process from start to end, Nightkeep with the memory flags of `npm start` and a warm compile cache; a first
 * check that does not count fills it. Times are medians, `overStock` the median of the rounds' ratios. The copies share the packs' space
 * on the disk, so that N GB need about 2.5 x as much.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serviceFlags } from '../test/support/fixtures/service-flags.ts';
import { type Cost, measure } from './measure.ts';
import { compareRestores } from './restore/compare-restores.ts';
import { timeS3Nights } from './s3/nights.ts';
import { grow } from './store/grow.ts';
import { makeRepository } from './store/make-repository.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string', default: 'growth,prune,check,restore,s3' },
    gb: { type: 'string', default: '1' },
    nights: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '3' },
    latency: { type: 'string', default: '20' },
  },
});
const [gb, rounds] = [Number(options.gb), Number(options.rounds)];
const say = (text: string) => process.stderr.write(`${text}\n`);
const password = 'bench';
const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
const cache = { NODE_COMPILE_CACHE: join(home, 'compile-cache') };

const parts = options.only.split(',');
const results: Record<string, unknown> = { gb };
const part = async (name: string, work: () => Promise<unknown>) => {
  if (!parts.includes(name)) return;
  say(name);
  results[name] = await work();
  say(JSON.stringify(results[name]));
};

await part('growth', () => grow({ home, nights: Number(options.nights) }));
const pruned = join(home, 'pruned');
if (['prune', 'check', 'restore'].some((name) => parts.includes(name))) {
  const made = join(home, 'made');
  say(`making a repository of ${gb} GB`);
  await makeRepository(made, { password, bytes: gb * 1e9, unusedShare: 0.3 });
  await ours('check', made);
  await part('prune', () => comparePrunes(made));
  await copy(made, pruned);
  await ours('prune', pruned);
  await rm(made, { recursive: true });
}
await part('check', () =>
  compare(async () => [await ours('check', pruned), await stock(pruned, 'check', '--read-data')]),
);
const restores = join(home, 'restores');
await part('restore', () => compareRestores({ home: restores, repository: pruned, password, rounds }));
await part('s3', () => Array.fromAsync(timeS3Nights(Number(options.latency))));
if (options.json) console.log(JSON.stringify(results));
else for (const [name, result] of Object.entries(results)) console.table({ [name]: result });

function comparePrunes(made: string) {
  const [mine, theirs] = [join(home, 'ours'), join(home, 'stock')];
  return compare(async () => {
    await Promise.all([copy(made, mine), copy(made, theirs)]);
    const costs = [await ours('prune', mine), await stock(theirs, 'prune', '--max-unused', '0')] as const;
    await Promise.all([rm(mine, { recursive: true }), rm(theirs, { recursive: true })]);
    return costs;
  });
}

/** Files of a repository are never changed, only made and removed: so they may be shared. */
async function copy(from: string, to: string): Promise<void> {
  await measure({ command: 'cp', args: ['-al', from, to] });
}

/** Nightkeep's work and the stock's in turn, once a round. */
async function compare(round: (number: number) => Promise<readonly [mine: Cost, theirs: Cost]>) {
  const costs: (readonly [Cost, Cost])[] = [];
  for (let number = 0; number < rounds; number += 1) costs.push(await round(number));
  return {
    ms: median(costs.map(([{ ms }]) => ms)),
    stockMs: median(costs.map(([, { ms }]) => ms)),
    overStock: Math.round(median(costs.map(([mine, theirs]) => mine.ms / theirs.ms)) * 1000) / 1000,
    cpuMs: median(costs.map(([{ cpuMs }]) => cpuMs)),
    stockCpuMs: median(costs.map(([, { cpuMs }]) => cpuMs)),
    rssMB: median(costs.map(([{ rssMB }]) => rssMB)),
    stockRssMB: median(costs.map(([, { rssMB }]) => rssMB)),
  };
}

function ours(work: 'prune' | 'check', repository: string): Promise<Cost> {
  const script = join(import.meta.dirname, 'store', 'nightkeep.ts');
  return measure({
    command: process.execPath,
    args: [...serviceFlags, script, work, repository, password],
    env: cache,
  });
}

function stock(repository: string, ...args: string[]): Promise<Cost> {
  const env = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: password,
    RESTIC_CACHE_DIR: join(home, 'restic-cache'),
  };
  return measure({ command: 'restic', args, env });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
