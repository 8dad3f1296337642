import { expect, test } from 'vitest';
import { readContact } from '../../../../src/web/objects/contact.ts';

const card = (...lines: string[]) => ['BEGIN:VCARD', 'VERSION:4.0', ...lines, 'END:VCARD', ''].join('\r\n');

test('a contact has a name, ways to reach it, and notes', () => {
  const found = readContact(
    card(
      'N:Baker;Ada;;Dr.;',
      'FN:Dr. Ada Baker',
      'ORG:Bakery;Bread\\; rolls',
      'item1.EMAIL;TYPE=home:ada@demo.example',
      'EMAIL:mailto:baker@demo.example',
      'TEL;VALUE=uri:tel:+44-20',
      'ADR;TYPE=home:;;1 High Street;London;;N1;',
      'NOTE:Likes rye',
      `PHOTO;ENCODING=b:${'A'.repeat(50_000)}`,
    ),
  );
  expect(found).toEqual({
    kind: 'contact',
    title: 'Dr. Ada Baker',
    organization: 'Bakery, Bread; rolls',
    mails: ['ada@demo.example', 'baker@demo.example'],
    phones: ['+44-20'],
    addresses: ['1 High Street, London, N1'],
    notes: 'Likes rye',
  });
});

test('of vCard 2.1, values in quoted-printable are read as their charset says, over their soft line breaks', () => {
  const old = (...lines: string[]) => ['BEGIN:VCARD', 'VERSION:2.1', ...lines, 'END:VCARD', ''].join('\r\n');
  const found = readContact(
    old(
      'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;',
      'FN;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:J=F6rg =',
      'M=FCller=',
      '',
      'TEL;CELL;PREF:+49=30',
      'ADR;WORK;ENCODING=QUOTED-PRINTABLE;CHARSET=utf-8:;;Haus B=0D=0AWeg 1;K=C3=B6ln;;5;',
      'NOTE;ENCODING=quoted-printable:eins=0D=0Azwei =3D 2=0A=',
      'END:VCARD',
      'EMAIL;INTERNET:joerg@demo.example',
    ),
  );
  expect(found).toMatchObject({
    title: 'Jörg Müller',
    phones: ['+49=30'],
    addresses: ['Haus B, Weg 1, Köln, 5'],
    notes: 'eins\nzwei = 2\nEND:VCARD',
    mails: ['joerg@demo.example'],
  });
});

test('it is called by the parts of its name, or its organization, where it has no other', () => {
  expect(readContact(card('N:Baker;Ada;;;'))?.title).toBe('Ada Baker');
  expect(readContact(card('FN:', 'ORG:Bakery'))?.title).toBe('Bakery');
  expect(readContact(card())?.title).toBe('');
});

test('what is none is none', () => {
  expect(readContact('')).toBeUndefined();
  expect(readContact('FN:Ada')).toBeUndefined();
});

test.each([
  ['names', `N:${';'.repeat(500_000)}`],
  ['backslashes', `ORG:${'\\'.repeat(500_001)}`],
  ['mails', 'EMAIL:a@b.example\n'.repeat(50_000)],
  ['soft line breaks', `NOTE;QUOTED-PRINTABLE:${'a'.repeat(9_000)}=\n${'=\n'.repeat(300_000)}`],
  ['codes', `NOTE;QUOTED-PRINTABLE:${'=FF'.repeat(300_000)}`],
  ['parameters', 'NOTE;A;QUOTED-PRINTABL\n'.repeat(50_000)],
])('takes no more time than its length asks for: %s', (_, hostile) => {
  const begun = performance.now();
  const found = readContact(`BEGIN:VCARD\n${hostile}\nEND:VCARD`);
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(found?.mails.length).toBeLessThanOrEqual(20);
});

test('white space within an address or an organization is read once, however much there is', () => {
  const lines = ['ADR', 'ORG'].flatMap((name) => Array<string>(20).fill(`${name}:a${' '.repeat(9_000)}b`));
  const before = process.cpuUsage();
  expect(readContact(card(...lines))?.addresses).toHaveLength(20);
  // A tenth of it is usual; where each space was a beginning, 1,500 ms.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(400);
});

test('a line break within an address is a comma', () => {
  expect(readContact(card('ADR:;;1 High Street \\n\\n Back house\\n;London;;;'))?.addresses).toEqual([
    '1 High Street, Back house, London',
  ]);
});
