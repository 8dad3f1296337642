import { systemClock } from '../../src/clock.ts';
import { archive } from '../../src/store/archiver/archiver.ts';
import type { Backend } from '../../src/store/backend/backend.ts';
import { retrying } from '../../src/store/backend/retrying.ts';
import { scryptCosts } from '../../src/store/format/key-file.ts';
import { timestamp } from '../../src/store/format/timestamp.ts';
import { openArchiveTarget } from '../../src/store/repository/archive-target.ts';
import { loadWhileLocking } from '../../src/store/repository/load-while-locking.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import { initRepository, openRepository } from '../../src/store/repository/repository.ts';
import { file, folder, type MemoryFolder, memorySource } from '../../test/support/fixtures/memory-source.ts';
import { openTestBucket } from '../../test/support/fixtures/s3-store.ts';
import { openHttpRelay } from '../../test/support/servers/http-relay.ts';
import { startMemoryS3 } from '../../test/support/servers/memory-s3.ts';

const clock = systemClock();
const owner = openLockOwner('bench');
const password = 'bench';

/** What a night took, and how many requests of each method. */
export interface S3Night {
  readonly name: string;
  readonly ms: number;
  readonly requests: Readonly<Record<string, number>>;
}

/** Nights into a bucket whose answers each take this long, one after the other. */
export async function* timeS3Nights(latencyMs: number): AsyncGenerator<S3Night> {
  await using server = await startMemoryS3({ pageSize: 1000 });
  await using relay = await openHttpRelay(server.origin, latencyMs);
  await using bucket = openTestBucket(relay.origin);
  const open = () => retrying(bucket.open('people/somebody'), { clock });
  const top = madeUpFolder();
  const timed = async (name: string): Promise<S3Night> => {
    const [began, before] = [clock.elapsed(), relay.requests.length];
    await night(open, top);
    const methods = Object.groupBy(relay.requests.slice(before), ({ method }) => method);
    const requests = Object.entries(methods).map(([method, made = []]) => [method, made.length]);
    return { name, ms: Math.round(clock.elapsed() - began), requests: Object.fromEntries(requests) };
  };
  await initRepository(open(), { password, clock, scrypt: scryptCosts.forRandomPasswords });
  yield timed('first');
  yield timed('unchanged');
  yield timed('unchanged again');
  top.members['another.txt'] = fileOf('another');
  top.validator = 'top of another day';
  yield timed('one file more');
}

/** 2,000 small files in 20 folders. */
function madeUpFolder(): MemoryFolder {
  const folders = Array.from({ length: 20 }, (_, number) => {
    const files = Array.from({ length: 100 }, (_, index) => [`${index}.txt`, fileOf(`${number}/${index}`)] as const);
    return [`folder ${number}`, folder(Object.fromEntries(files), { validator: `v${number}` })] as const;
  });
  return folder(Object.fromEntries(folders), { validator: 'top' });
}

function fileOf(text: string, validator = 'v1') {
  return file(`${text}\n`.repeat(200), { validator: `${text} ${validator}` });
}

async function night(open: () => Backend, top: MemoryFolder): Promise<void> {
  const repository = await openRepository(open(), password);
  const [last] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
  await using lock = await loadWhileLocking(repository, { clock, ...owner });
  const archived = await archive({
    sources: [memorySource(top)],
    repository: openArchiveTarget(repository, clock, lock.settled),
    clock,
    signal: lock.signal,
    ...(last && { parent: last.snapshot.tree }),
  });
  await repository.saveSnapshot({
    time: timestamp(clock.now()),
    ...(last && { parent: last.id }),
    tree: archived.tree,
    paths: ['/files'],
    hostname: 'bench',
    summary: archived.summary,
  });
}
