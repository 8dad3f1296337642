import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The data of one person: 10,000 small texts in 1,000 folders (25 in each of 40), and 20 random files of 10 MiB. */
const layout = { tops: 40, folders: 25, texts: 10, textBytes: 12_000, large: 20, largeBytes: 10 * 1024 * 1024 };

/** Writes the files. */
export async function writeFiles(root: string): Promise<void> {
  for (let top = 0; top < layout.tops; top++) {
    for (let folder = 0; folder < layout.folders; folder++) await makeFolder(root, top, folder);
  }
  await mkdir(join(root, 'large'));
  for (let n = 0; n < layout.large; n++)
    await writeFile(join(root, 'large', `${n}.bin`), randomBytes(layout.largeBytes));
}

/** Changes one text, deep in the tree, to another for each name of the change. */
export async function changeOneFile(root: string, change: string): Promise<void> {
  await writeFile(join(root, 'top-17', 'folder-11', 'text 3.txt'), `changed\n${textOf(change)}`);
}

async function makeFolder(root: string, top: number, folder: number): Promise<void> {
  const path = join(root, `top-${top}`, `folder-${folder}`);
  await mkdir(path, { recursive: true });
  for (let n = 0; n < layout.texts; n++) {
    await writeFile(join(path, `text ${n}.txt`), textOf(`${top}/${folder}/${n}`));
  }
}

const words =
  'night consent folder mail calendar year letter house garden minute invoice project number snow river answer friend train ticket recipe note'.split(
    ' ',
  );

/** Text that compresses about as letters do, and differs from file to file. */
function textOf(seed: string): string {
  const parts: string[] = [];
  let length = 0;
  for (let block = 0; length < layout.textBytes; block++) {
    for (const byte of createHash('sha256').update(`${seed}#${block}`).digest()) {
      const word = byte < 24 ? `${byte * 7919}.` : (words[byte % words.length] ?? '');
      parts.push(word);
      length += word.length + 1;
    }
  }
  return parts.join(' ').slice(0, layout.textBytes);
}
