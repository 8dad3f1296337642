import { describe, expect, it, test } from 'vitest';
import { readMessage } from '../../../../src/web/objects/message.ts';

const written = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const head = ['Received: from a\r\n\tby b', 'From: Ada <ada@demo.example>', 'Subject: Hello'];

describe('a message', () => {
  it('has a subject, whom it is from and to, when it was written, and what it says', () => {
    const found = readMessage(
      written(
        'From: =?utf-8?q?J=C3=BCrgen?= <j@demo.example>',
        'To: a@demo.example,\r\n b@demo.example',
        'Cc: c@demo.example',
        'subject: =?iso-8859-1?Q?Gr=FC=DFe?=',
        'Subject: another one',
        'Date: Sat, 28 Nov 2026 10:00:00 +0100 (CET)',
        '',
        'Dear all,',
        '',
        'see you.',
      ),
    );
    expect(found).toEqual({
      kind: 'message',
      title: 'Grüße',
      from: 'Jürgen <j@demo.example>',
      to: 'a@demo.example, b@demo.example',
      copies: 'c@demo.example',
      date: 'Sat, 28 Nov 2026 10:00:00 +0100 (CET)',
      at: '2026-11-28T09:00:00.000Z',
      text: 'Dear all,\n\nsee you.',
      attachments: [],
      mayHaveMore: false,
    });
  });

  it.each([
    ['quoted-printable', 'iso-8859-1', 'Gr=FC=\r\n=DFe', 'Grüße'],
    ['Base64', '"UTF-8"', Buffer.from('Grüße').toString('base64'), 'Grüße'],
    ['8bit', 'utf-8', Buffer.from('Grüße').toString('latin1'), 'Grüße'],
    ['7bit', 'unheard-of', 'plain', 'plain'],
  ])('says its text in whatever coding it is: %s', (coding, charset, body, text) => {
    const found = readMessage(
      written(
        ...head,
        `Content-Type: text/plain; charset=${charset}`,
        `Content-Transfer-Encoding: ${coding}`,
        '',
        body,
      ),
    );
    expect(found?.text).toBe(text);
  });

  it('says what its first part of plain text says, which is no attachment', () => {
    const found = readMessage(
      written(
        ...head,
        'Content-Type: multipart/mixed;\r\n boundary="o=1"',
        '',
        'This is a message in parts.',
        '--o=1',
        'Content-Disposition: attachment; filename=a.txt',
        '',
        'attached',
        '--o=1',
        'Content-Type: multipart/alternative; boundary=i2',
        '',
        '--i2',
        'Content-Type: text/html',
        '',
        '<b>Hello</b>',
        '--i2',
        '',
        'Hello',
        '--i2--',
        '--o=1--',
        'after',
      ),
    );
    expect(found?.text).toBe('Hello');
  });

  it.each([
    ['HTML alone', ['Content-Type: text/html', '', '<b>x</b>']],
    ['nothing', ['']],
    ['parts without a boundary', ['Content-Type: multipart/mixed', '', '--', 'x']],
  ])('says nothing that can be shown: %s', (_, lines) => {
    expect(readMessage(written(...head, ...lines))).toMatchObject({ title: 'Hello', text: undefined });
  });

  describe('with attachments', () => {
    const part = (type: string, disposition: string, ...body: string[]) => [
      '--b',
      `Content-Type: ${type}`,
      ...(disposition === '' ? [] : [`Content-Disposition: ${disposition}`]),
      ...body,
    ];
    const mixed = (...lines: string[]) =>
      written(...head, 'Content-Type: multipart/mixed; boundary=b', '', ...lines, '--b--', '');
    const plain = ['--b', '', 'Hello'];

    it.each([
      ['attachment; filename=a.pdf', 'a.pdf'],
      ['attachment; filename="Two \\"words\\".pdf"; size=3', 'Two "words".pdf'],
      ['inline; filename="=?utf-8?b?R3LDvMOfZS5wZGY=?="', 'Grüße.pdf'],
      [`attachment; filename="${Buffer.from('Grüße.pdf').toString('latin1')}"`, 'Grüße.pdf'],
      ["attachment; filename=old.pdf; filename*=utf-8'de'Gr%C3%BC%C3%9Fe.pdf", 'Grüße.pdf'],
      ["attachment; filename*0*=iso-8859-1''Gr%FC;\r\n filename*1=%20; filename*2*=%DFe.pdf", 'Gr\u00fc%20ße.pdf'],
      [`attachment; filename="${'long '.repeat(79)}"`, 'long '.repeat(60)],
      ['attachment; filename=""', ''],
      ['attachment', ''],
    ])('names each as its sender does: %s', (disposition, name) => {
      const found = readMessage(mixed(...plain, ...part('Application/PDF', disposition, '', 'abc')));
      expect(found).toMatchObject({ text: 'Hello', attachments: [{ name, type: 'application/pdf', bytes: 3 }] });
    });

    it('takes the name of the type where that has one alone, and tells sizes as they are decoded', () => {
      const found = readMessage(
        mixed(
          ...part(
            'image/png; name="in the text.png"',
            'inline',
            'Content-Transfer-Encoding: BASE64',
            '',
            'AAAA',
            'AAAA',
          ),
          ...plain,
          ...part('text/html', '', '', '<b>Hello</b>'),
          ...part(
            'text/plain',
            'attachment; filename=b.txt',
            'Content-Transfer-Encoding: quoted-printable',
            '',
            '=41=',
            'b',
          ),
          ...part('message/rfc822', '', '', 'Subject: a', '', 'forwarded'),
        ),
      );
      expect(found?.text).toBe('Hello');
      expect(found?.attachments).toEqual([
        { name: 'in the text.png', type: 'image/png', bytes: 6 },
        { name: 'b.txt', type: 'text/plain', bytes: 2 },
        { name: '', type: 'message/rfc822', bytes: 23 },
      ]);
      expect(found?.mayHaveMore).toBe(false);
    });

    it('tells no size of what is cut, and that there may be more', () => {
      const all = mixed(
        ...plain,
        ...part('image/png', 'attachment; filename=1.png', '', 'a'),
        ...part('image/png', 'attachment; filename=2.png', '', 'b'.repeat(99)),
      );
      const found = readMessage(all.subarray(0, all.length - 50), { isWhole: false });
      expect(found?.attachments.map(({ name, bytes }) => [name, bytes])).toEqual([
        ['1.png', 1],
        ['2.png', undefined],
      ]);
      expect(found?.mayHaveMore).toBe(true);
    });

    it('tells that there may be more than it looks at', () => {
      const many = Array.from({ length: 60 }, (_, at) => part('image/png', `attachment; filename=${at}.png`, '', 'a'));
      const found = readMessage(mixed(...many.flat()));
      expect(found?.attachments.length).toBeGreaterThan(40);
      expect(found?.mayHaveMore).toBe(true);
    });
  });

  it.each([
    ...['yesterday', '', '99 Foo 2026 10:00:00 +0100', '1 Jan 0001 00:00:00 +0000', 'Sun, 31 Dec 1899 23:00:00 GMT'],
    ...['31 Feb 2026 10:00:00 +0000', '0 Jan 2026 10:00:00 +0000', '29 Feb 2027 10:00:00 +0000'],
  ])('has a date that is none as it is written: %j', (date) => {
    expect(readMessage(written(...head, `Date: ${date}`))).toMatchObject({ date, at: undefined });
  });
});

test.each([
  ['Mon, 1 Jan 1900 00:00:00 +0000', '1900-01-01T00:00:00.000Z'],
  ['29 Feb 2028 23:30:00 -0100', '2028-03-01T00:30:00.000Z'],
  ['01 SEP 2026 10:00 GMT (of a clock)', '2026-09-01T10:00:00.000Z'],
])('the date of a message is a moment: %s', (date, moment) => {
  expect(readMessage(written('From: a', `Date: ${date}`))).toMatchObject({ date, at: moment });
});

test.each([
  ['nothing', ''],
  ['prose', 'Hello: this is no message'],
  ['bytes', '\0\x01\xff'],
])('what is none is none: %s', (_, text) => {
  expect(readMessage(written(text))).toBeUndefined();
});

const parts = (count: number) => `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nX: y\n\n'.repeat(count)}`;
test.each([
  ['parts', parts(80_000)],
  ['parts within parts', parts(1).repeat(8_000)],
  ['a folded field', `Subject: a${'\n b'.repeat(200_000)}`],
  ['fields', Array.from({ length: 50_000 }, (_, at) => `X-${at}: y`).join('\n')],
  ['spaces', `Content-Type:${' '.repeat(500_000)}`],
  ['names in pieces', `Content-Type: a/b${'; name*0*=a'.repeat(50_000)}`],
  ['names that never end', `Content-Type: a/b;${' name="a;'.repeat(50_000)}`],
  ['parameters', `Content-Type: multipart/mixed${'; boundary'.repeat(2_000)}`],
  ['equals signs', `Content-Transfer-Encoding: quoted-printable\n\n${'='.repeat(500_000)}`],
  ['a date', `Date: ${' ('.repeat(200_000)}`],
])('takes no more time than its length asks for: %s', (_, hostile) => {
  const begun = performance.now();
  readMessage(written('From: a', hostile));
  expect(performance.now() - begun).toBeLessThan(2_000);
});
