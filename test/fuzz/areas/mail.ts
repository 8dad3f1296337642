import fc from 'fast-check';
import { expect } from 'vitest';
import { decodeHeader } from '../../../src/sources/imap/encoded-words.ts';
import { decodeMailboxName, encodeMailboxName, folderNameOf } from '../../../src/sources/imap/mailbox-name.ts';
import { messageName, parseInternalDate } from '../../../src/sources/imap/message-name.ts';
import { type ImapResponse, openResponseReader } from '../../../src/sources/imap/response-reader.ts';
import { readValues } from '../../../src/sources/imap/values.ts';
import { isSafeName } from '../../../src/store/format/tree.ts';
import { changed, changes, outcomeOf, property } from '../property.ts';

const limits = { lineBytes: 2_000, literalBytes: 500 };
const latin1 = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const literals = latin1.map((content) => `{${content.length}}\r\n${content}`);
const words = fc.oneof(
  latin1,
  literals,
  fc.constantFrom(
    '(',
    ')',
    '"a\\"b"',
    'NIL',
    'UID 7',
    'BODY[HEADER.FIELDS (SUBJECT)]',
    '<0>',
    'FLAGS',
    '{3}',
    '\\Seen',
  ),
);
const responses = fc
  .array(
    fc.array(words, { maxLength: 8 }).map((parts) => `* 1 FETCH (${parts.join(' ')})\r\n`),
    { maxLength: 4 },
  )
  .chain((lines) =>
    changes('\r\n', '{', '}', '(', ')', '"', '\\', '[', ']', '\0').map((all) => changed(lines.join(''), all)),
  );

function readAll(bytes: Buffer, pieces: readonly number[]): ImapResponse[] {
  const reader = openResponseReader(limits);
  const found: ImapResponse[] = [];
  let [at, piece] = [0, 0];
  while (at < bytes.length) {
    const size = pieces[piece++ % pieces.length] ?? 1;
    reader.push(bytes.subarray(at, at + size));
    at += size;
    for (let one = reader.take(); one !== undefined; one = reader.take()) found.push(one);
  }
  return found;
}

/** A text as encoded words, cut wherever the sizes say, also in the middle of a character. */
function encoded(text: string, sizes: readonly number[], isBase64: boolean): string {
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const part = bytes.subarray(at, at + (sizes[n % sizes.length] ?? 1));
    at += part.length;
    const quoted = Array.from(part, (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
    parts.push(isBase64 ? `=?utf-8?B?${part.toString('base64')}?=` : `=?UTF-8?q?${quoted}?=`);
  }
  return parts.join('\r\n ');
}

const pieces = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
const texts = fc.string({ unit: 'binary', maxLength: 60 });

export const mail = [
  property(
    'what a mail server sends reads the same in whatever pieces it comes',
    fc.tuple(responses, pieces),
    ([text, sizes]) => {
      const bytes = Buffer.from(text, 'latin1');
      const inPieces = outcomeOf(() => readAll(bytes, sizes), 'source');
      expect(inPieces).toEqual(outcomeOf(() => readAll(bytes, [bytes.length]), 'source'));
    },
  ),
  property('what is in a response is read to its end, or it is refused', responses, (text) => {
    outcomeOf(() => {
      for (const response of readAll(Buffer.from(text, 'latin1'), [1_000])) {
        const values = readValues(response, 0);
        while (values.next() !== undefined);
        const items = readValues(response, '* 1 FETCH '.length);
        items.enter();
        while (items.item() !== undefined) items.next();
      }
    }, 'source');
  }),
  property('a mailbox has the same name after it was encoded', texts, (name) => {
    expect(decodeMailboxName(encodeMailboxName(name.toWellFormed().replaceAll('\0', '')))).toBe(
      name.toWellFormed().replaceAll('\0', ''),
    );
  }),
  property('a mailbox of whatever name has a folder', fc.oneof(latin1, texts.map(encodeMailboxName)), (raw) => {
    const name = folderNameOf(raw);
    expect([isSafeName(name), Buffer.byteLength(name) <= 255]).toEqual([true, true]);
    expect(folderNameOf(raw)).toBe(name);
  }),
  property(
    'a message of whatever subject has a name that every system can hold',
    fc.oneof(texts, latin1),
    (subject) => {
      const name = messageName({ uid: 4_294_967_295, receivedAt: new Date(0), subject });
      expect(isSafeName(name) && name.isWellFormed() && Buffer.byteLength(name) <= 255).toBe(true);
      expect(name).not.toMatch(/[\0-\x1f\x7f-\x9f/\\:*?"<>|]/);
    },
  ),
  property(
    'a subject is read from encoded words, wherever they were cut',
    fc.tuple(texts, pieces, fc.boolean()),
    ([text, sizes, isBase64]) => {
      const short = text.toWellFormed().trim();
      const header = `Subject: ${encoded(short, sizes, isBase64)}\r\n\r\n`;
      if (header.length < 2_000) expect(decodeHeader(Buffer.from(header))).toBe(short);
    },
  ),
  property(
    'a header of whatever bytes is read as text',
    fc.tuple(latin1, changes('=?utf-8?q?', '?=', '\r\n ', '=C3')),
    ([raw, all]) => {
      expect(typeof decodeHeader(Buffer.from(changed(`Subject: ${raw}`, all), 'latin1'))).toBe('string');
      parseInternalDate(raw);
    },
  ),
];
