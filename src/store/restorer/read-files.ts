import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import type { FileNode } from '../format/node.ts';
import type { ReadableRepository } from './contract.ts';

export interface ReadFile {
  readonly node: FileNode;
  /** Can be read once, before the next file is requested. Throws `repository/damaged`, also when it is not as long as the node says. */
  readonly content: AsyncIterable<Buffer>;
}

/** Each is some steps of its reader, too. */
const filesAtOnce = 100;

/** Files one after the other, read as one stream, so that neighbours in a pack come together. A damaged one does not harm the next. */
export async function* readFiles(repository: ReadableRepository, files: readonly FileNode[]): AsyncGenerator<ReadFile> {
  const ids = files.values().flatMap(({ content }) => content);
  const blobs = repository.loadBlobs('data', ids)[Symbol.asyncIterator]();
  // Of files without content, or of what is in memory, nothing else lets others have the thread.
  for await (const piece of piecesOf(files, filesAtOnce))
    for (const node of piece) {
      const left = { count: node.content.length };
      yield { node, content: ofSize(whole(next(blobs, left)), node.size) };
      for await (const _ of next(blobs, left));
    }
}

type Loaded = { readonly bytes: Buffer } | { readonly error: AppError };

/** The remaining blobs of a file. */
async function* next(blobs: AsyncIterator<Loaded>, left: { count: number }): AsyncGenerator<Loaded> {
  while (left.count > 0) {
    left.count--;
    const { value, done } = await blobs.next();
    if (done) return;
    yield value;
  }
}

async function* whole(blobs: AsyncIterable<Loaded>): AsyncGenerator<Buffer> {
  for await (const blob of blobs) {
    if ('error' in blob) throw blob.error;
    yield blob.bytes;
  }
}

async function* ofSize(content: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const bytes of content) {
    sum += bytes.length;
    yield bytes;
  }
  if (sum === size) return;
  throw new AppError(
    'repository/damaged',
    `The snapshot says ${countWords(size, 'byte')}, but the file's blobs hold ${sum}.`,
  );
}
