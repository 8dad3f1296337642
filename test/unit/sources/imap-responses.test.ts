import { describe, expect, test } from 'vitest';
import { type ImapResponse, openResponseReader } from '../../../src/sources/imap/response-reader.ts';
import { type ImapValue, readValues } from '../../../src/sources/imap/values.ts';

const tight = { lineBytes: 100, literalBytes: 20 };

/** All responses in what comes in pieces of so many bytes. */
function read(
  bytes: string,
  piece = bytes.length,
  limits = { lineBytes: 10_000, literalBytes: 10_000 },
): ImapResponse[] {
  const reader = openResponseReader(limits);
  const all = Buffer.from(bytes, 'latin1');
  const found: ImapResponse[] = [];
  for (let at = 0; at < all.length; at += piece) {
    reader.push(all.subarray(at, at + piece));
    for (let one = reader.take(); one !== undefined; one = reader.take()) found.push(one);
  }
  return found;
}

describe('responses', () => {
  const sent =
    '* OK [CAPABILITY IMAP4rev1] ready\r\n* 1 FETCH (UID 5 BODY[] {7}\r\na\r\n{3}\n FLAGS (\\Seen) BODY[1] {0}\r\n)\r\n+ \r\nn1 OK done\n';

  test.each([1, 2, 3, 7, 1_000])('are read whole from pieces of %i bytes', (piece) => {
    const responses = read(sent, piece);
    expect(responses.map(({ text }) => text)).toEqual([
      '* OK [CAPABILITY IMAP4rev1] ready',
      '* 1 FETCH (UID 5 BODY[] {7} FLAGS (\\Seen) BODY[1] {0})',
      '+ ',
      'n1 OK done',
    ]);
    expect(responses[1]?.literals.map(String)).toEqual(['a\r\n{3}\n', '']);
  });

  test.each([
    ['a line without end', 'x'.repeat(200)],
    ['a literal that is too long', '* {21}\r\n'],
    ['literals that are too long together', '* {11}\r\n01234567890 {10}\r\n'],
    ['more literals than any response has', `* ${'{0}\r\n'.repeat(1_001)}`],
  ])('are refused where one is beyond its limits: %s', (_, bytes) => {
    const limits = bytes.startsWith('* {0}') ? { lineBytes: 10_000, literalBytes: 20 } : tight;
    expect(() => read(bytes, 1, limits)).toThrowError(expect.objectContaining({ code: 'source/malformed' }));
  });

  test('that end with a literal end there', () => {
    expect(read('* LIST () "/" {5}\r\nINBOX\r\n* 1 EXISTS\r\n').map(({ text }) => text)).toEqual([
      '* LIST () "/" {5}',
      '* 1 EXISTS',
    ]);
  });

  test('of a megabyte in small pieces are read once', () => {
    expect(
      read(`* {1000000}\r\n${'x'.repeat(1_000_000)}\r\n`, 100, { lineBytes: 100, literalBytes: 1_000_000 }),
    ).toHaveLength(1);
  });
});

describe('values', () => {
  const valuesIn = (text: string, literals: Buffer[] = []): ImapValue[] => {
    const reader = readValues({ text, literals, bytes: 0 }, 0);
    const found: ImapValue[] = [];
    for (let one = reader.next(); one !== undefined; one = reader.next()) found.push(one);
    return found;
  };

  test('are atoms, strings of both kinds, NIL, and lists of these', () => {
    const literal = Buffer.from('in bytes');
    expect(valuesIn('(\\Seen (a NIL)) "with \\"quotes\\" and \\\\" {8} 12 nil ()', [literal])).toEqual([
      ['\\Seen', ['a', null]],
      'with "quotes" and \\',
      literal,
      '12',
      null,
      [],
    ]);
  });

  test('are found behind the names of items, with their sections and origins', () => {
    const literals = [Buffer.from('SUBJECT'), Buffer.from('s')];
    const text = '(UID 7 BODY[HEADER.FIELDS ({7} "a]b")] {1} body[]<0> "x" RFC822.SIZE 3)';
    const reader = readValues({ text, literals, bytes: 0 }, 0);
    reader.enter();
    const items: [string, ImapValue | undefined][] = [];
    for (let item = reader.item(); item !== undefined; item = reader.item()) items.push([item, reader.next()]);
    expect(items).toEqual([
      ['UID', '7'],
      ['BODY', literals[1]],
      ['BODY', 'x'],
      ['RFC822.SIZE', '3'],
    ]);
  });

  test.each(['(BODY[HEADER', '(BODY["a]', '(BODY[{3}] "x"', '(BODY[]<x> "y"'])(
    'behind items that cannot be read are refused: %s',
    (text) => {
      const reader = readValues({ text, literals: [], bytes: 0 }, 1);
      expect(() => {
        while (reader.item() !== undefined) reader.next();
      }).toThrowError(expect.objectContaining({ code: 'source/malformed' }));
    },
  );

  test.each(['"never ends', '{3}', `${'('.repeat(40)}`, '"\\'])('that cannot be read are refused: %s', (text) => {
    expect(() => valuesIn(text)).toThrowError(expect.objectContaining({ code: 'source/malformed' }));
  });
});
