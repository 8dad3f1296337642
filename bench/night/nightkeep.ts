/**
 * One night of Nightkeep in a process of its own: `node nightkeep.ts URL REPOSITORY PASSWORD [--spot-check] [--after OTHER]`.
 *
 * With `--after` the process has had two nights of the same files before, into OTHER, as a worker has had nights of others: `insideMs` and `insideCpuMs` are of
 * the night itself, without the start of the process and what went before, once all of that is on the disk.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { webdavSource } from '../../src/sources/dav/webdav.ts';
import { openServers } from '../../src/sources/http/server.ts';
import { archive } from '../../src/store/archiver/archiver.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { timestamp } from '../../src/store/format/timestamp.ts';
import { openArchiveTarget } from '../../src/store/repository/archive-target.ts';
import { loadWhileLocking } from '../../src/store/repository/load-while-locking.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import { openRepository } from '../../src/store/repository/repository.ts';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { 'spot-check': { type: 'boolean' }, after: { type: 'string' } },
});
const [url, path, password] = positionals;
if (url === undefined || path === undefined || password === undefined)
  throw new Error('usage: nightkeep.ts URL REPOSITORY PASSWORD [--spot-check] [--after OTHER]');
const clock = systemClock();
const servers = openServers(clock);
for (const before of options.after === undefined ? [] : [options.after, options.after]) await night(before, password);
if (options.after !== undefined) execFileSync('sync');
const [start, cpu] = [clock.elapsed(), process.cpuUsage()];
const figures = await night(path, password, { spotCheck: options['spot-check'] === true });
const { user, system } = process.cpuUsage(cpu);
const inside = { insideMs: Math.round(clock.elapsed() - start), insideCpuMs: Math.round((user + system) / 1000) };
console.log(JSON.stringify({ ...figures, ...inside }));

async function night(path: string, password: string, { spotCheck = false } = {}) {
  const repository = await openRepository(openLocalBackend(path), password);
  const [last] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
  await using lock = await loadWhileLocking(repository, { clock, ...openLockOwner('bench') });
  const access = async () => ({ token: 'bench' });
  await using source = webdavSource({ url: url ?? '', access, servers, clock, log: silentLog });
  const archived = await archive({
    sources: [source],
    repository: openArchiveTarget(repository, clock, lock.settled),
    clock,
    signal: lock.signal,
    onCheckpoint: async () => {},
    ...(last && { parent: last.snapshot.tree }),
    ...(spotCheck && {
      spotCheck: { files: last?.snapshot.summary?.total_files_processed ?? 0, random: Math.random },
    }),
  });
  await repository.saveSnapshot({
    time: timestamp(clock.now()),
    ...(last && { parent: last.id }),
    tree: archived.tree,
    paths: ['/files'],
    hostname: 'bench@localhost',
    username: 'bench',
    program_version: 'nightkeep bench',
    summary: archived.summary,
  });
  const { entries, seen, problems } = archived;
  return { ...source.traffic, entries, entriesRead: seen.read, problems: problems.length };
}
