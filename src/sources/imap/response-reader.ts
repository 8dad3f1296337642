import { AppError } from '../../errors.ts';
import { type GatheredBytes, openGatheredBytes } from '../../gathered-bytes.ts';

/** One response of a server (RFC 9051, section 7): a line, and the literals in it. */
export interface ImapResponse {
  /** Each byte a character, without its line end; a literal stands in it as `{length}`. */
  readonly text: string;
  readonly literals: readonly Buffer[];
  /** As it came, literals included. */
  readonly bytes: number;
}

/** What a single response may take; beyond it the server is not speaking IMAP as it is meant. */
export interface ResponseLimits {
  readonly lineBytes: number;
  /** Of all literals of the response together. */
  readonly literalBytes: number;
}

const defaultLimits: ResponseLimits = { lineBytes: 256 * 1024, literalBytes: 8 * 1024 ** 2 };

const lineEnd = 10;
const carriageReturn = '\r';
const mostLiterals = 1_000;

interface Literal {
  left: number;
  readonly gathered: GatheredBytes;
}

/** Takes bytes as they come, and gives the responses that are whole. */
export interface ResponseReader {
  push(chunk: Buffer): void;
  /** The next one; undefined until more bytes come. Throws `source/malformed` beyond the limits. */
  take(): ImapResponse | undefined;
}

/** Reads what one connection receives; each byte is looked at once. */
export function openResponseReader(limits: ResponseLimits = defaultLimits): ResponseReader {
  const chunks: Buffer[] = [];
  let at = 0;
  let text = '';
  /** Where in the text the line begins that is being read. */
  let line = 0;
  let literals: Buffer[] = [];
  let literal: Literal | undefined;
  let literalBytes = 0;

  function readLiteral(chunk: Buffer, open: Literal): void {
    const part = chunk.subarray(at, at + open.left);
    open.gathered.add(part);
    open.left -= part.length;
    at += part.length;
    if (open.left > 0) return;
    literals.push(Buffer.concat(open.gathered.take()));
    literal = undefined;
  }

  function beginLiteral(length: number): void {
    literalBytes += length;
    if (literalBytes > limits.literalBytes || literals.length >= mostLiterals)
      throw malformed('The mail server sends more in one response than was requested.');
    if (length === 0) literals.push(Buffer.alloc(0));
    else literal = { left: length, gathered: openGatheredBytes() };
  }

  /** The response that ends with this line, unless a literal follows. */
  function endLine(): ImapResponse | undefined {
    if (text.endsWith(carriageReturn)) text = text.slice(0, -1);
    const length = /\{(\d{1,15})\+?\}$/.exec(text.slice(Math.max(line, text.length - 20)))?.[1];
    line = text.length;
    if (length !== undefined) {
      beginLiteral(Number(length));
      return undefined;
    }
    const response = { text, literals, bytes: text.length + literalBytes };
    text = '';
    line = 0;
    literals = [];
    literalBytes = 0;
    return response;
  }

  function readLine(chunk: Buffer): ImapResponse | undefined {
    const end = chunk.indexOf(lineEnd, at);
    text += chunk.toString('latin1', at, end === -1 ? chunk.length : end);
    if (text.length > limits.lineBytes) throw malformed('The mail server sends a line that is too long.');
    at = end === -1 ? chunk.length : end + 1;
    return end === -1 ? undefined : endLine();
  }

  return {
    push: (chunk) => void chunks.push(chunk),
    take() {
      for (let chunk = chunks[0]; chunk !== undefined; chunk = chunks[0]) {
        while (at < chunk.length) {
          if (literal !== undefined) readLiteral(chunk, literal);
          else {
            const response = readLine(chunk);
            if (response !== undefined) return response;
          }
        }
        chunks.shift();
        at = 0;
      }
      return undefined;
    },
  };
}

function malformed(message: string): AppError {
  return new AppError('source/malformed', message);
}
