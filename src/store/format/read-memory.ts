/** Memory that is read to again and again: new memory costs the system a fault for each of its pages. */
export interface ReadMemory {
  /** What `read` gives, which may read to the memory it gets of so many bytes; in memory that may be sent to another thread. */
  fill(
    length: number,
    read: (memory: ArrayBuffer) => Promise<Buffer | undefined>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Takes memory that is not needed any more. */
  giveBack(memory: ArrayBuffer | undefined): void;
}

/**
 * Keeps as many pieces of memory as are given back, up to so many. Each is twice as long as what it was taken for, so that the next one fits,
 * but no longer than what is usually the longest: of a small repository little is taken.
 */
export function openReadMemory(most: number, usualBytes: number): ReadMemory {
  const spare: ArrayBuffer[] = [];
  const giveBack = (memory: ArrayBuffer | undefined) => {
    if (memory !== undefined && spare.length < most) spare.push(memory);
  };
  const take = (length: number) => {
    const memory = spare.pop();
    if (memory !== undefined && memory.byteLength >= length) return memory;
    return new ArrayBuffer(Math.max(length, Math.min(2 * length, usualBytes)));
  };
  return {
    giveBack,
    fill: async (length, read) => {
      const memory = take(length);
      const bytes = await read(memory);
      if (bytes?.buffer === memory) return new Uint8Array(memory, 0, bytes.length);
      giveBack(memory);
      return bytes && ownBytes(bytes);
    },
  };
}

/** Short buffers share their memory with others, so that it cannot be given away. */
function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(bytes);
}
