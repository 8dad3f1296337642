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
])('takes no more time than its length asks for: %s', (_, hostile) => {
  const begun = performance.now();
  const found = readContact(`BEGIN:VCARD\n${hostile}\nEND:VCARD`);
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(found?.mails.length).toBeLessThanOrEqual(20);
});
