/** A literal that is sent with a command (RFC 9051, section 4.3). */
export interface SentLiteral {
  readonly size: number;
  /** Of exactly so many bytes. */
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Whether the server is asked first whether it takes it; where it is not, that is as RFC 7888 has it. */
  readonly isAsked: boolean;
}

/** What a command is made of: text, of which each character is a byte, and literals. */
export type CommandPart = string | SentLiteral;

/** What was to be sent could not be read, or is not as long as was said. The connection cannot be used any more. */
export class ContentFailed extends Error {}

/** So much goes at once, so that it shows how fast the server takes it. */
const bytesAtOnce = 16 * 1024;

/** Writes a command and its end, and yields wherever the server must say first that it takes more. */
export async function* sendCommand(
  parts: readonly CommandPart[],
  write: (bytes: Uint8Array) => Promise<void>,
): AsyncGenerator<void> {
  let held: Uint8Array[] = [];
  let length = 0;
  const flush = async () => {
    const bytes = Buffer.concat(held);
    held = [];
    length = 0;
    for (let at = 0; at < bytes.length; at += bytesAtOnce) await write(bytes.subarray(at, at + bytesAtOnce));
  };
  const add = async (bytes: Uint8Array) => {
    held.push(bytes);
    length += bytes.length;
    if (length >= bytesAtOnce) await flush();
  };
  for (const part of parts) {
    if (typeof part === 'string') {
      await add(Buffer.from(part, 'latin1'));
      continue;
    }
    const { isAsked, size } = part;
    await add(Buffer.from(`{${size}${isAsked ? '' : '+'}}\r\n`));
    if (isAsked) {
      await flush();
      yield;
    }
    for await (const bytes of contentOf(part)) await add(bytes);
  }
  await add(Buffer.from('\r\n'));
  await flush();
}

async function* contentOf({ content, size }: SentLiteral): AsyncGenerator<Uint8Array> {
  let left = size;
  try {
    for await (const bytes of content) {
      left -= bytes.length;
      if (left < 0) break;
      yield bytes;
    }
  } catch (cause) {
    throw new ContentFailed('The content cannot be read.', { cause });
  }
  if (left !== 0) throw new ContentFailed('The content is not as long as was said.');
}
