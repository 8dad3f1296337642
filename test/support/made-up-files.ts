import { createHash } from 'node:crypto';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Bytes that look random and are the same each time. */
function noise(seed: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let n = 0; n * 32 < length; n++) parts.push(createHash('sha256').update(`${seed} ${n}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

/** Names that trip programs up: quotes, control characters, spaces, what looks like URLs, emoji, both forms of é, case, length. */
const oddNames: readonly string[] = [
  ' leading and trailing ',
  'a"quoted"\\back\\slash',
  "it's",
  'tab\tnewline\nreturn\r',
  'bell\x07escape\x1bdelete\x7f',
  '100% #1 ?query=1&x=<y>',
  'trailing dot.',
  '...',
  'emoji 😀 👩‍👩‍👧',
  'composed \u00e9',
  'decomposed e\u0301',
  'no-break\u00a0space ideographic\u3000space',
  'zero\u200dwidth soft\u00adhyphen \ufeffBOM',
  'private \ue000 use',
  'line\u2028separator',
  'right-to-left \u202e and tag \u{e0041}',
  '漢字 кириллица עברית',
  'Case',
  'case',
  'n'.repeat(255),
  'ﬁ ligature',
  '-rf',
  '*',
];

/** Fills a folder with files of many kinds: odd names, empty ones, large ones, links, folders deep and empty, old and odd times. */
export async function makeUpFiles(folder: string): Promise<void> {
  const write = async (path: string, content: Buffer | string, time = 1_600_000_000) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    await utimes(join(folder, path), time, time);
  };
  for (const [index, name] of oddNames.entries()) await write(`odd/${name}`, name, 1_500_000_000.125 + index);
  await writeFile(Buffer.concat([Buffer.from(`${folder}/odd/`), Buffer.from('ff6ec3289f', 'hex')]), 'not UTF-8');
  await write('empty file', '');
  await mkdir(join(folder, 'empty folder'));
  await write('deep/a/b/c/d/e/f/file', 'deep');
  await write('large.bin', noise('large', 12_000_000), 1_234_567_890.123);
  await write('zeros', Buffer.alloc(3_000_000));
  await write('text.txt', 'some text that packs well\n'.repeat(50_000), 0);
  await write('old', 'old', 315_532_800);
  for (let n = 0; n < 200; n++) await write(`many/${n % 7}/${n}.txt`, `file number ${n}\n`.repeat(n));
  await symlink('../text.txt', join(folder, 'deep', 'link'));
  await symlink('nowhere/at/all', join(folder, 'broken link'));
}
