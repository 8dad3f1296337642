import { describe, expect, test } from 'vitest';
import { decodeHeader, decodeText } from '../../../src/sources/imap/encoded-words.ts';
import {
  cutToBytes,
  decodeMailboxName,
  encodeMailboxName,
  folderNameOf,
} from '../../../src/sources/imap/mailbox-name.ts';
import { setOf } from '../../../src/sources/imap/message-fetches.ts';
import { messageName, parseInternalDate } from '../../../src/sources/imap/message-name.ts';
import { isSafeName } from '../../../src/store/format/tree.ts';

describe('the name of a mailbox', () => {
  test.each([
    ['INBOX', 'INBOX'],
    ['Entw&APw-rfe', 'Entwürfe'],
    ['&U,BTFw-', '台北'],
    ['~peter/mail/&U,BTFw-/&ZeVnLIqe-', '~peter/mail/台北/日本語'],
    ['Tom &- Jerry', 'Tom & Jerry'],
    ['&2D3eAA-', '😀'],
  ])('%s reads %s, and the other way round', (raw, name) => {
    expect(decodeMailboxName(raw)).toBe(name);
    expect(encodeMailboxName(name)).toBe(raw);
  });

  test.each(['&', '&-&', '&AGE-', '&2D0-', '&A-', '&&', '&*-', '&AAA-'])(
    '%s, which is not encoded as it should be, never fails',
    (raw) => {
      expect(isSafeName(folderNameOf(raw))).toBe(true);
    },
  );

  test('stays as it is wherever a folder can have it', () => {
    for (const raw of ['INBOX', ' a ', '...', 'x'.repeat(255), 'Sent Items', 'Re: [list]', 'a\\b'])
      expect(folderNameOf(raw)).toBe(raw);
    expect(folderNameOf(Buffer.from('Entwürfe').toString('latin1'))).toBe('Entwürfe');
    expect(folderNameOf('caf\xe9')).toBe('caf\udce9');
  });

  test.each([
    ['a slash', 'a/b', 'a_b', /^a_b \[[0-9a-f]{8}\]$/],
    ['nothing', '', undefined, /^\[[0-9a-f]{8}\]$/],
    ['the folder above', '..', '.', /^\.\. \[[0-9a-f]{8}\]$/],
    ['what a message has', '2026-01-01 a [1].eml', undefined, /eml \[[0-9a-f]{8}\]$/],
    ['what the record has', 'mailbox.json', undefined, /^mailbox\.json \[[0-9a-f]{8}\]$/],
    ['what is too long', 'x'.repeat(300), 'x'.repeat(301), /^x{244} \[[0-9a-f]{8}\]$/],
    ['two spellings of one', 'Entw&APw-&APw-', 'Entw&APwA,A-', /^Entwüü \[[0-9a-f]{8}\]$/],
  ])('has a digest with it where it is that of %s, and another one than others have', (_, raw, other, shape) => {
    const name = folderNameOf(raw);
    expect(name).toMatch(shape);
    expect(folderNameOf(raw)).toBe(name);
    expect(isSafeName(name) && Buffer.byteLength(name) <= 255).toBe(true);
    if (other !== undefined) expect(folderNameOf(other)).not.toBe(name);
  });

  test('is cut between characters only', () => {
    expect(cutToBytes('aüüü', 4)).toBe('aü');
    expect(cutToBytes('😀😀', 7)).toBe('😀');
  });
});

describe('the name of a message', () => {
  const receivedAt = new Date('2026-11-28T23:59:59Z');
  const named = (subject: string) => messageName({ uid: 12, receivedAt, subject });

  test.each([
    ['Minutes of the meeting', '2026-11-28 Minutes of the meeting [12].eml'],
    ['', '2026-11-28 [12].eml'],
    ['   ', '2026-11-28 [12].eml'],
    ['Re: a/b\\c <d> "e" | f? *', '2026-11-28 Re_ a_b_c _d_ _e_ _ f_ _ [12].eml'],
    ['a\r\n\tb\0c', '2026-11-28 a b c [12].eml'],
    ['..', '2026-11-28 .. [12].eml'],
    ['cafe\u0301', '2026-11-28 café [12].eml'],
    ['turned \u202egnp.exe', '2026-11-28 turned gnp.exe [12].eml'],
    ['half \ud800', '2026-11-28 half \ufffd [12].eml'],
  ])('of the subject %j is %s', (subject, name) => {
    expect(named(subject)).toBe(name);
  });

  test('fits into any file system, however long its subject is', () => {
    for (const letter of ['x', 'ü', '語', '😀']) {
      const name = messageName({ uid: 4_294_967_295, receivedAt, subject: letter.repeat(1_000) });
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name.isWellFormed() && isSafeName(name)).toBe(true);
    }
  });

  test('has no date where the server gives none', () => {
    expect(messageName({ uid: 1, receivedAt: undefined, subject: 'a' })).toBe('a [1].eml');
  });
});

describe('a subject', () => {
  const subjectOf = (raw: string) => decodeHeader(Buffer.from(`Subject: ${raw}\r\n\r\n`, 'latin1'));

  test.each([
    ['plain', 'plain'],
    ['=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?b?IEvDtmxu?=', 'Grüße aus Köln'],
    ['=?UTF-8?B?44GT44KT?=\r\n =?UTF-8?B?44Gr44Gh44Gv?=', 'こんにちは'],
    ['=?utf-8?q?half_=E2=82?= =?utf-8?q?=AC?=', 'half €'],
    ['=?iso-8859-1?q?caf=E9?= and =?windows-1252?q?=80?=', 'café and €'],
    ['=?iso-2022-jp?b?GyRCRnxLXDhsGyhC?=', '日本語'],
    ['=?gb2312?b?1tDOxA==?=', '中文'],
    ['=?koi8-r?b?8NLJ18XU?=', 'Привет'],
    ['=?utf-8*de?q?a?=', 'a'],
    ['=?nobody-knows?q?caf=C3=A9?=', 'café'],
    ['=?utf-8?q?caf=E9?=', 'café'],
    ['folded\r\n  twice\r\n\tand more', 'folded  twice\tand more'],
    [Buffer.from('Grüße').toString('latin1'), 'Grüße'],
    ['caf\xe9', 'café'],
    ['=?utf-8?q?never ends', '=?utf-8?q?never ends'],
    ['=?utf-8?b?****?=', ''],
    ['', ''],
  ])('written %j reads %s', (raw, text) => {
    expect(subjectOf(raw)).toBe(text);
  });

  test('that is not there is empty, and one without end takes no time', () => {
    expect(decodeHeader(Buffer.from('\r\n'))).toBe('');
    expect(decodeHeader(Buffer.alloc(0))).toBe('');
    expect(subjectOf('=?a?q?'.repeat(100_000)).length).toBeLessThan(2_000);
  });
});

test.each([
  [' 1-Nov-2026 08:05:00 +0100', '2026-11-01T07:05:00.000Z'],
  ['28-nov-2026 23:30:00 -0730', '2026-11-29T07:00:00.000Z'],
  ['01-Jan-1970 00:00:00 +0000', '1970-01-01T00:00:00.000Z'],
  ['28-Foo-2026 08:05:00 +0100', undefined],
  ['yesterday', undefined],
  ['', undefined],
])('the date %j is %s', (text, date) => {
  expect(parseInternalDate(text)?.toISOString()).toBe(date);
});

test('numbers are requested in order, and those that follow each other as a range', () => {
  expect(setOf([7, 3, 1, 2, 10, 11])).toBe('1:3,7,10:11');
  expect(setOf([5])).toBe('5');
});

test('what is in a charset that is known is read, whatever names of charsets others have made up before', () => {
  const word = `=?ISO-8859-5?b?${Buffer.of(0xbf, 0xe0, 0xd8).toString('base64')}?=`;
  for (let n = 0; n < 200; n++) {
    expect(decodeHeader(Buffer.from(`Subject: =?made-up-${n}?q?x?=`))).toBe('x');
    decodeText(Buffer.from('x'), `${' '.repeat(n)}UTF-16le`);
  }
  expect(decodeHeader(Buffer.from(`Subject: ${word}`))).toBe('При');
});
