/** Bytes as they come, in pieces of any size, which take little more room than their length: a piece of one byte alone takes more than a hundred. */
export interface GatheredBytes {
  add(piece: Uint8Array): void;
  /** What was added since it was taken last, in order. */
  take(): Uint8Array[];
}

/** Shorter pieces are copied together, longer ones kept as they are. */
const blockBytes = 4 * 1024;

/** Holds nothing yet. */
export function openGatheredBytes(): GatheredBytes {
  let parts: Uint8Array[] = [];
  let block = Buffer.alloc(0);
  let used = 0;

  function endBlock(): void {
    if (used > 0) parts.push(block.subarray(0, used));
    block = block.subarray(used);
    used = 0;
  }

  return {
    add(piece) {
      if (piece.length > block.length - used) {
        endBlock();
        if (piece.length >= blockBytes) {
          parts.push(piece);
          return;
        }
        block = Buffer.allocUnsafe(blockBytes);
      }
      block.set(piece, used);
      used += piece.length;
    },
    take() {
      endBlock();
      const taken = parts;
      parts = [];
      return taken;
    },
  };
}
