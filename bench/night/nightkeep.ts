/** One night of Nightkeep in a process of its own: `node nightkeep.ts URL REPOSITORY PASSWORD [spot-check]`. */
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

const [, , url, path, password, spotCheck] = process.argv;
if (url === undefined || path === undefined || password === undefined)
  throw new Error('usage: nightkeep.ts URL REPOSITORY PASSWORD [spot-check]');
const clock = systemClock();
const start = clock.elapsed();
const repository = await openRepository(openLocalBackend(path), password);
const [last] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
await using lock = await loadWhileLocking(repository, { clock, ...openLockOwner('bench') });
const access = async () => ({ token: 'bench' });
await using source = webdavSource({ url, access, servers: openServers(clock), clock, log: silentLog });
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
const insideMs = Math.round(clock.elapsed() - start);
console.log(
  JSON.stringify({ ...source.traffic, insideMs, entries, entriesRead: seen.read, problems: problems.length }),
);
