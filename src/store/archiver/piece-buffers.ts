import type { BlobType } from '../format/ids.ts';
import type { Piece } from './sealing-messages.ts';

/** The few large buffers in which bytes travel to a sealing thread and come back empty. Each is made when it is needed. */
export interface PieceBuffers {
  /** Whether bytes can be put now; false while all buffers are away. */
  readonly ready: boolean;
  /** Bytes of buffers that are away or being filled. */
  readonly load: number;
  /** Copies as much as there is room for, and answers the number of bytes. Call it only when ready. */
  put(stream: number, type: BlobType, bytes: Uint8Array): number;
  /** Only while ready. */
  end(stream: number, type: BlobType, how: 'whole' | 'abandoned'): void;
  /** Sends what was gathered. */
  post(): void;
  giveBack(buffer: ArrayBuffer): void;
}

const usualSize = 1024 * 1024;
/** One is being filled, one is being sealed, and two hide the delay of the messages. */
const buffers = 4;
/** Small entries are gathered, but not without end. */
const piecesPerMessage = 1024;

/** `send` gets each buffer as it is full, with the pieces in it. */
export function openPieceBuffers(
  send: (buffer: ArrayBuffer, pieces: readonly Piece[]) => void,
  bufferSize = usualSize,
): PieceBuffers {
  const free: ArrayBuffer[] = [];
  let made = 0;
  let bytes = new Uint8Array(0);
  let pieces: Piece[] = [];
  let used = 0;

  function begin(): void {
    if (bytes.length === 0) bytes = new Uint8Array(free.pop() ?? make());
  }

  function make(): ArrayBuffer {
    made++;
    return new ArrayBuffer(bufferSize);
  }

  function post(): void {
    if (pieces.length === 0) return;
    send(bytes.buffer, pieces);
    bytes = new Uint8Array(0);
    pieces = [];
    used = 0;
  }

  /** Bytes of one stream that follow each other are one piece, so that a small entry is seen whole. */
  function note(piece: Piece): void {
    const last = pieces.at(-1);
    if (last?.stream !== piece.stream) pieces.push(piece);
    else pieces[pieces.length - 1] = { ...piece, length: last.length + piece.length };
    if (used === bufferSize || pieces.length >= piecesPerMessage) post();
  }

  return {
    get ready() {
      return bytes.length > 0 || free.length > 0 || made < buffers;
    },
    get load() {
      return (made - free.length) * bufferSize;
    },
    put(stream, type, all) {
      begin();
      const part = all.subarray(0, bufferSize - used);
      bytes.set(part, used);
      used += part.length;
      note({ stream, type, length: part.length, end: 'open' });
      return part.length;
    },
    end(stream, type, how) {
      begin();
      note({ stream, type, length: 0, end: how });
    },
    post,
    giveBack: (buffer) => free.push(buffer),
  };
}
