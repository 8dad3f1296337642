import { openingBuffers, sealUnproved } from '../format/blob.ts';
import { type BlobId, type BlobIdOf, type BlobType, type DataId, idOf } from '../format/ids.ts';
import { type FinishedPack, provePack } from '../format/pack.ts';
import { type BlobStream, openChunkBuffers, openChunkedStream, openWholeStream } from './blob-stream.ts';
import { maximumChunk, openChunker } from './chunker.ts';
import { openClaimedBlobs } from './claimed-blobs.ts';
import { openCollector } from './collector.ts';
import { openPacks } from './open-packs.ts';
import {
  type FromSealer,
  noneAdded,
  type Piece,
  type PieceNumbers,
  piecesIn,
  type SealedStream,
  type SealingTask,
  type ToSealer,
} from './sealing-messages.ts';

/** What a sealed blob takes besides its bytes, and more. */
const besidesContent = 64 * 1024;
/** A buffer for sealed blobs is at least for one of this size: most files are short. */
const shortBlob = 32 * 1024;

interface OpenStream {
  readonly content: DataId[];
  readonly bytes: BlobStream;
  /** Bytes of the blobs in `content`. */
  stored: number;
}

/**
 * Turns content into sealed packs: chunk, hash, skip what is known, compress, encrypt, pack, open again. Returns the function that takes
 * messages; `send` gets the replies, with the buffers to transfer.
 */
export async function openSealer(
  { masterKey, chunkerPolynomial, claimedBlobs, index, most = maximumChunk }: SealingTask,
  send: (message: FromSealer, ...transfer: ArrayBuffer[]) => void,
): Promise<(message: ToSealer) => void> {
  const { openSharedIndex } = await import(index.module);
  const known: { has(type: BlobType, id: BlobId): boolean } = openSharedIndex(index.shared);
  const claim = openClaimedBlobs(claimedBlobs);
  const chunker = openChunker(chunkerPolynomial);
  const buffers = openChunkBuffers();
  let sealedBuffer = Buffer.alloc(0);
  const packs = openPacks(masterKey, handOver, most < maximumChunk ? 1.5 * most : undefined);
  const opening = openingBuffers();
  const passed = openCollector();
  const streams = new Map<number, OpenStream>();
  let added = noneAdded();

  return (message) => {
    if (message.kind === 'pieces') sealPieces(message.buffer, message.pieces);
    else if (message.kind === 'free-pack-buffer') packs.reuse(message.buffer);
    else if (message.kind === 'tell') tell(message.stream, message.after);
    else finish();
  };

  function sealPieces(buffer: ArrayBuffer, pieces: PieceNumbers): void {
    const ended: SealedStream[] = [];
    let at = 0;
    for (const piece of piecesIn(pieces)) {
      const content = sealPiece(piece, new Uint8Array(buffer, at, piece.length));
      if (content !== undefined) ended.push({ stream: piece.stream, content });
      at += piece.length;
    }
    send({ kind: 'sealed', buffer, streams: ended, added }, buffer);
    passed(at);
    added = noneAdded();
  }

  /** The blobs of the stream, where it ends with this piece and they are awaited. */
  function sealPiece({ stream, type, end }: Piece, bytes: Uint8Array): readonly DataId[] | undefined {
    const open = streams.get(stream) ?? openStream(type);
    if (end === 'open') {
      streams.set(stream, open);
      open.bytes.write(bytes);
      return undefined;
    }
    streams.delete(stream);
    if (end === 'abandoned') open.bytes.abandon();
    else open.bytes.end(bytes);
    return end === 'whole' && type === 'data' ? open.content : undefined;
  }

  function openStream(type: BlobType): OpenStream {
    const content: DataId[] = [];
    const keep = (blob: Uint8Array) => {
      content.push(storeData(blob));
      open.stored += blob.length;
    };
    const bytes =
      type === 'data'
        ? openChunkedStream(chunker, buffers, keep)
        : openWholeStream((blob) => store('tree', blob, idOf(blob)));
    const open: OpenStream = { content, bytes, stored: 0 };
    return open;
  }

  function tell(stream: number, after: number): void {
    const { content = [], stored = 0 } = streams.get(stream) ?? {};
    send({ kind: 'told', sofar: { content: content.slice(after), bytes: stored } });
  }

  function storeData(blob: Uint8Array): DataId {
    const id = idOf<DataId>(blob);
    if (!known.has('data', id) && claim(id)) store('data', blob, id);
    return id;
  }

  function store<Type extends BlobType>(type: Type, blob: Uint8Array, id: BlobIdOf<Type>): void {
    if (sealedBuffer.length < blob.length + besidesContent && blob.length <= maximumChunk)
      sealedBuffer = Buffer.allocUnsafeSlow(
        besidesContent + Math.min(maximumChunk, Math.max(shortBlob, 2 * blob.length)),
      );
    const sealed = sealUnproved(masterKey, type, blob, id, sealedBuffer);
    packs.add(sealed);
    if (type === 'data') added.dataBlobs++;
    else added.treeBlobs++;
    added.bytes += blob.length;
    added.packedBytes += sealed.sealed.length;
  }

  function handOver(pack: FinishedPack): void {
    provePack(masterKey, pack, opening);
    send({ kind: 'pack', pack }, pack.bytes.buffer, pack.entries.buffer);
  }

  function finish(): void {
    packs.finish();
    send({ kind: 'finished' });
  }
}
