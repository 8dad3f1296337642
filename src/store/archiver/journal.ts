import { letOthers, stepsAtOnce } from '../../pieces.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import { decodeTree, encodeTree } from '../format/tree.ts';

/** What a run had finished of one folder. */
export interface Finished {
  /** Its path from the top of the snapshot: the name of the root in front. */
  readonly folder: string;
  readonly nodes: readonly Node[];
}

/** A file whose beginning was read: the node has the bytes so far, and those blobs that earlier entries of the journal do not have. */
export interface Begun {
  readonly folder: string;
  readonly node: FileNode;
  /** How many blobs earlier entries have. */
  readonly after: number;
}

export type JournalEntry = Finished | Begun;

/** The blobs of each journal of a checkpoint, in order. */
export type Journals = readonly (readonly DataId[])[];

/** The entry as two lines: JSON that says what it is, and a tree of restic. */
function encodeEntry(entry: JournalEntry): Buffer {
  const { folder } = entry;
  const head = 'node' in entry ? { folder, after: entry.after } : { folder };
  const nodes = 'node' in entry ? [entry.node] : entry.nodes;
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), encodeTree({ nodes })]);
}

/** All entries, one behind the other, made in pieces. */
export async function encodeEntries(entries: Iterable<JournalEntry>): Promise<readonly Buffer[]> {
  const encoded: Buffer[] = [];
  let nodes = 0;
  for (const part of partsOf(entries)) {
    encoded.push(encodeEntry(part));
    nodes += 'node' in part ? 1 : part.nodes.length;
    if (nodes < stepsAtOnce) continue;
    nodes = 0;
    await letOthers();
  }
  return encoded;
}

function* partsOf(entries: Iterable<JournalEntry>): Generator<JournalEntry> {
  for (const entry of entries) {
    if ('node' in entry) yield entry;
    else
      for (let at = 0; at < entry.nodes.length; at += stepsAtOnce)
        yield { folder: entry.folder, nodes: entry.nodes.slice(at, at + stepsAtOnce) };
  }
}

/** The entries in these bytes, which are encoded ones behind each other. Throws `repository/damaged`. */
export function* decodeJournal(bytes: Buffer): Generator<JournalEntry> {
  for (let at = 0; at < bytes.length; ) {
    const headEnd = bytes.indexOf(0x0a, at);
    const end = bytes.indexOf(0x0a, headEnd + 1) + 1;
    const { folder, after }: { folder: string; after?: number } = JSON.parse(bytes.toString('utf8', at, headEnd));
    const { nodes } = decodeTree(bytes.subarray(headEnd + 1, end));
    const [node] = nodes;
    if (after === undefined) yield { folder, nodes };
    else if (node?.type === 'file') yield { folder, node, after };
    at = end;
  }
}
