import { parsedAtOnce, piecesOfList } from '../../json-pieces.ts';
import { letOthers } from '../../pieces.ts';
import type { PackedBlob } from './blob.ts';
import type { MasterKey } from './envelope.ts';
import { type IndexId, type PackId, parseId } from './ids.ts';
import { asCount, asList, asObject, type JsonObject, malformed, optional, parseJsonObject } from './json-shape.ts';
import { type SealedFile, sealFile, unpackSealedFile } from './unpacked-file.ts';

/** A pack and all its blobs. One index file must name the whole of a pack. */
export interface IndexedPack {
  readonly id: PackId;
  readonly blobs: readonly PackedBlob[];
}

/** The most blobs that one index file names. Readers accept 50,000 and more, but encoding such a file briefly takes 100 MiB. */
export const blobsPerIndex = 20_000;

/** Encodes an index file of these packs. */
export function sealIndex(key: MasterKey, packs: readonly IndexedPack[]): SealedFile<IndexId> {
  return sealFile<IndexId>(key, { packs: packs.map(({ id, blobs }) => ({ id, blobs: blobs.map(blobJson) })) });
}

const head = '{"packs":[';
const tail = ']}';

/**
 * The packs of an index file, read in pieces where it is long; fields of other writers (`supersedes`, `packs_to_delete`) mean nothing. Throws
 * `repository/damaged`.
 */
export async function openIndex(key: MasterKey, id: IndexId, bytes: Uint8Array): Promise<IndexedPack[]> {
  return unpackSealedFile(key, { id, bytes, what: 'index' }, readPacks);
}

async function readPacks(text: Buffer): Promise<IndexedPack[]> {
  const end = text.length - tail.length - (text.at(-1) === newline ? 1 : 0);
  const isUsual = text.toString('latin1', 0, head.length) === head && text.toString('latin1', end, end + 2) === tail;
  if (text.length <= parsedAtOnce || !isUsual) return packsIn(parseJsonObject(text, 'index').packs);
  const packs: IndexedPack[] = [];
  for (const piece of piecesOfList(text, head.length, end)) {
    if (piece === 'none') return packsIn(parseJsonObject(text, 'index').packs);
    for (const pack of packsIn(parseJsonObject(Buffer.from(`{"packs":${piece}}`), 'index').packs)) packs.push(pack);
    await letOthers();
  }
  return packs;
}

const newline = 0x0a;

function packsIn(packs: unknown): IndexedPack[] {
  return asList(packs ?? [], 'index').map((value) => parsePack(asObject(value, 'index')));
}

function blobJson({ id, type, offset, length, uncompressedLength }: PackedBlob): object {
  return { id, type, offset, length, uncompressed_length: uncompressedLength };
}

function parsePack(pack: JsonObject): IndexedPack {
  const blobs = asList(pack.blobs ?? [], 'index').map((value) => parseBlob(asObject(value, 'index')));
  return { id: parseId<PackId>(pack.id), blobs };
}

function parseBlob(blob: JsonObject): PackedBlob {
  const { type } = blob;
  if (type !== 'data' && type !== 'tree') throw malformed('index');
  const uncompressedLength = optional(blob.uncompressed_length, asPlace, 'index');
  return {
    type,
    id: parseId<PackedBlob['id']>(blob.id),
    offset: asPlace(blob.offset, 'index'),
    length: asPlace(blob.length, 'index'),
    ...(uncompressedLength ? { uncompressedLength } : {}),
  };
}

/** No pack has more bytes than 32 bits count, nor has a blob. */
function asPlace(value: unknown, what: string): number {
  const place = asCount(value, what);
  if (place >= 2 ** 32) throw malformed(what);
  return place;
}
