import { createHash, randomFillSync } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { scryptCosts } from '../../src/store/format/key-file.ts';
import { initRepository } from '../../src/store/repository/repository.ts';
import { archiveNight } from '../../test/support/fixtures/archive-night.ts';
import { folder, type MemoryFile, memorySource } from '../../test/support/fixtures/memory-source.ts';

const fileBytes = 256 * 1024;
const filesInFolder = 64;

/**
 * Makes a repository of about so many bytes, in files of 256 KiB, every fourth of which is text: a night with all of them, and one
 * that lacks so large a part of them. The first is forgotten, so that what only it needed is unused.
 */
export async function makeRepository(
  path: string,
  { password, bytes, unusedShare }: { password: string; bytes: number; unusedShare: number },
): Promise<void> {
  const scrypt = scryptCosts.forRandomPasswords;
  const repository = await initRepository(openLocalBackend(path), { password, clock: systemClock(), scrypt });
  const count = Math.ceil(bytes / fileBytes);
  const folders = Array.from({ length: Math.ceil(count / filesInFolder) }, (_, number) => {
    const names = Array.from({ length: Math.min(filesInFolder, count - number * filesInFolder) }, (_, index) => index);
    return folder(Object.fromEntries(names.map((index) => [`${index}`, fileOf(number * filesInFolder + index)])));
  });
  const top = folder(Object.fromEntries(folders.map((one, number) => [`folder ${number}`, one])));
  const { snapshot } = await archiveNight(repository, [memorySource(top)]);
  for (const { members } of folders)
    for (const name of Object.keys(members)) if (Number(name) % 10 < unusedShare * 10) delete members[name];
  await archiveNight(repository, [memorySource(top)]);
  await repository.forgetSnapshot(snapshot);
}

function fileOf(number: number): MemoryFile {
  const content = async function* () {
    yield number % 4 === 0 ? textOf(number) : randomFillSync(Buffer.allocUnsafe(fileBytes));
  };
  return { kind: 'file', content, size: fileBytes, modified: new Date(1_700_000_000_000), validator: `${number}` };
}

/** Lines that compress as logs do. */
function textOf(number: number): Buffer {
  const lines: string[] = [];
  for (let length = 0, line = 0; length < fileBytes; line += 1) {
    const digest = createHash('sha256').update(`${number} ${line}`).digest('hex').slice(0, 24);
    const text = `2026-11-26 01:02:03 nightkeep run ${digest} entry ${line} read and stored\n`;
    lines.push(text);
    length += text.length;
  }
  return Buffer.from(lines.join('')).subarray(0, fileBytes);
}
