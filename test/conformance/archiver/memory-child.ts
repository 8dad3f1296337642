/** Archives something large in a process of its own and prints its peak memory: `node memory-child.ts CASE`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../src/clock.ts';
import type { Listing, Member, Reading } from '../../../src/sources/source.ts';
import { archive } from '../../../src/store/archiver/archiver.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { openArchiveTarget } from '../../../src/store/repository/archive-target.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const noise = Buffer.concat(Array.from({ length: 32_768 }, (_, n) => createHash('sha256').update(`${n}`).digest()));
const modified = new Date('2020-01-01T00:00:00Z');

/** Folders of so many files, a file of so many bytes. */
const cases: Record<string, { folders: number; files: number; bytes: number }> = {
  'many folders': { folders: 1000, files: 100, bytes: 700 },
  'one folder': { folders: 1, files: 100_000, bytes: 700 },
  'one file': { folders: 1, files: 1, bytes: 4 * 1024 ** 3 },
};

const name = process.argv[2] ?? '';
const shape = cases[name];
if (shape === undefined) throw new Error(`There is no case ${name}.`);

function list({ location }: Member): Listing {
  const count = location === '' ? shape?.folders : shape?.files;
  const members = Array.from({ length: count ?? 0 }, (_, n): Member => {
    const place = { name: `number ${n}`, location: `${location}/${n}`, modified, validator: `"${n}"` };
    return location === '' ? { kind: 'collection', ...place } : { kind: 'entry', ...place, size: shape?.bytes ?? 0 };
  });
  return { members, problems: [] };
}

/** Bytes that do not repeat: each MiB begins with its place, and a different part of the noise follows. */
async function* body({ location }: Member): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < (shape?.bytes ?? 0); at += 65_536) {
    const length = Math.min(65_536, (shape?.bytes ?? 0) - at);
    const part = Buffer.from(noise.subarray((at * 7) % 900_000, ((at * 7) % 900_000) + length));
    part.write(`${location} ${at}`);
    yield part;
  }
}

await using home = await temporaryFolder('memory');
const repository = await newRepository(openLocalBackend(home.path));
const clock = systemClock();
const source = {
  name: 'files',
  atOnce: 128,
  address: 'memory',
  roots: async () => [
    { name: 'files', address: 'memory', collection: { kind: 'collection' as const, name: 'files', location: '' } },
  ],
  list: async (collection: Member) => list(collection),
  open: async (entry: Member): Promise<Reading> => ({
    body: body(entry),
    ...(entry.validator !== undefined && { validator: entry.validator }),
  }),
};
const nights: object[] = [];
let parent: Awaited<ReturnType<typeof archive>>['tree'] | undefined;
for (let night = 0; night < 2; night++) {
  const { signal } = new AbortController();
  const target = openArchiveTarget(repository, clock);
  const done = await archive({ sources: [source], repository: target, clock, signal, ...(parent && { parent }) });
  parent = done.tree;
  const { entries, seen, tree } = done;
  nights.push({ entries, entriesRead: seen.read, bytesRead: seen.bytes, tree });
}
console.log(JSON.stringify({ nights, rssMB: Math.round(peakKiB() / 1024) }));

/** Of this process alone: what the system counts as its usage begins with that of the process that started it. */
function peakKiB(): number {
  try {
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(peak);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
