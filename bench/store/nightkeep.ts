/** One piece of work of Nightkeep on a repository in a process of its own: `node nightkeep.ts prune|check REPOSITORY PASSWORD`. */
import { systemClock } from '../../src/clock.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { beginLock } from '../../src/store/repository/load-while-locking.ts';
import { lockRepository } from '../../src/store/repository/lock.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import { openRepository } from '../../src/store/repository/repository.ts';

const [, , work, path, password] = process.argv;
if (path === undefined || password === undefined)
  throw new Error('usage: nightkeep.ts prune|check REPOSITORY PASSWORD');
const clock = systemClock();
const repository = await openRepository(openLocalBackend(path), password);
const owner = openLockOwner('bench');
if (work === 'prune') {
  const { prune } = await import('../../src/store/pruner/prune.ts');
  await using lock = await lockRepository(repository, { clock, ...owner, exclusive: true });
  console.log(JSON.stringify(await prune(repository, { clock, signal: lock.signal, unusedShare: 0 })));
} else {
  const { checkRepository } = await import('../../src/store/repository/check.ts');
  await using lock = beginLock(repository, { clock, ...owner, exclusive: true });
  const { settled: locking, signal } = lock;
  const report = await checkRepository(repository, { locking, readData: 'all', signal });
  if (report.findings.length > 0) throw new Error(report.findings[0]?.message);
  console.log(JSON.stringify(report));
}
