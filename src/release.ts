/**
 * Frees the memory of bytes that nobody needs any more at once, where they have it for themselves: the garbage collector would come after
 * hundreds of them. They are empty afterwards.
 */
export function release({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
