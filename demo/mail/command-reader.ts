/** What one connection of a client brings: lines, and literals, which are no lines. */
export interface CommandReader {
  push(chunk: Buffer): void;
  /** What comes next is so many bytes of a message, or of another literal (RFC 9051, section 4.3). */
  expectLiteral(bytes: number, take: (content: Buffer) => void): void;
}

/** Gives each line, without its end and each byte a character, to `onLine`. */
export function openCommandReader(onLine: (line: string) => void): CommandReader {
  let input = '';
  let literal: { readonly bytes: number; readonly take: (content: Buffer) => void } | undefined;

  function takeLiteral({ bytes, take }: NonNullable<typeof literal>): void {
    literal = undefined;
    const content = Buffer.from(input.slice(0, bytes), 'latin1');
    input = input.slice(bytes);
    take(content);
  }

  return {
    push(chunk) {
      input += chunk.toString('latin1');
      for (;;) {
        if (literal !== undefined) {
          if (input.length < literal.bytes) return;
          takeLiteral(literal);
          continue;
        }
        const end = input.indexOf('\r\n');
        if (end === -1) return;
        const line = input.slice(0, end);
        input = input.slice(end + 2);
        onLine(line);
      }
    },
    expectLiteral(bytes, take) {
      literal = { bytes, take };
    },
  };
}
