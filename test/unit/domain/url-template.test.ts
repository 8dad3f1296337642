import { describe, expect, test } from 'vitest';
import {
  isNamedServer,
  isUrlClaim,
  originOf,
  previewUrl,
  urlOfPerson,
  withoutClaims,
} from '../../../src/domain/url-template.ts';

const template = 'https://cloud.example/remote.php/dav/files/{preferred_username}/';

const expand = (url: string, claims: Record<string, unknown>, subject = 'its subject') =>
  urlOfPerson(url, { subject, claims });
const missing = expect.objectContaining({ code: 'source/missing-claim' });

describe('the URL of a person', () => {
  test('has the claim in its place', () => {
    expect(expand(template, { preferred_username: 'alice' })).toBe('https://cloud.example/remote.php/dav/files/alice/');
  });

  test.each([
    ['x?y#z', 'x%3Fy%23z'],
    ['100%', '100%25'],
    ['Zoë Smith', 'Zo%C3%AB%20Smith'],
    ['{sub}', '%7Bsub%7D'],
  ])('has the value %s percent-encoded', (value, encoded) => {
    expect(expand(template, { preferred_username: value })).toBe(
      `https://cloud.example/remote.php/dav/files/${encoded}/`,
    );
  });

  test('takes several claims, numbers too', () => {
    expect(expand('http://dav.example:8080/{tenant}/{uid}/', { tenant: 'a', uid: 42 })).toBe(
      'http://dav.example:8080/a/42/',
    );
  });

  test('is shown with what is known of the person already, the rest as it is', () => {
    const known = { subject: 'a b', claims: { uid: 1001, groups: ['a'] } };
    expect(previewUrl('https://x/{sub}/{uid}/{groups}/{constructor}/', known)).toBe(
      'https://x/a%20b/1001/{groups}/{constructor}/',
    );
  });

  test('names a claim that is missing, and the cure', () => {
    expect(() => expand(template, { sub: '1' })).toThrow(
      `The source URL ${template} needs the claim "preferred_username" as text or a whole number, which the provider did not send. ` +
        'Let the client receive it (a mapper or scope at the provider), or use another claim in the URL.',
    );
    expect(() => expand('https://x/{constructor}/', {})).toThrow(/needs the claim "constructor"/);
  });

  test.each([
    [1001, '1001'],
    [0, '0'],
    [-7, '-7'],
    [true, 'true'],
    [false, 'false'],
    ['...', '...'],
    ['.hidden', '.hidden'],
    ['a%20b', 'a%2520b'],
    ['alice@b.example', 'alice%40b.example'],
    ['~', '~'],
    [' ', '%20'],
  ])('has %j filled in as %s', (value, filled) => {
    expect(expand('https://x/{c}/', { c: value })).toBe(`https://x/${filled}/`);
    expect(isUrlClaim(value)).toBe(true);
  });

  test('knows the subject as sub, whatever claim is called so', () => {
    expect(expand('https://x/{sub}/', {}, 'f:1:a')).toBe('https://x/f%3A1%3Aa/');
    expect(expand('https://x/{sub}/', { sub: 'another' }, 'alice')).toBe('https://x/alice/');
  });

  test.each([
    [''],
    ['nul\0'],
    ['\ud800'],
    ['x'.repeat(1_001)],
    [1.5],
    [2 ** 53],
    [1e21],
    [null],
    [[]],
    [['alice']],
    [{ name: 'alice' }],
  ])('refuses the value %j, and says that it was not sent usably', (value) => {
    expect(() => expand(template, { preferred_username: value })).toThrow(missing);
    expect(isUrlClaim(value)).toBe(false);
    expect(previewUrl(template, { subject: '1', claims: { preferred_username: value } })).toBe(template);
  });

  test.each([
    ...[
      '.',
      '..',
      '/',
      'a/../../bob',
      '../bob',
      '..\\bob',
      '\\\\host',
      'a/b',
      'a\nb',
      'a\r\nX: b',
      '\u001b[2J',
      '\u007f',
      '\u0085',
    ],
    ...[
      '%2e%2e',
      '%2E.',
      '..%2fbob',
      'a%5cb',
      '%00',
      '%c0%af..%2f',
      '\uff0e\uff0e',
      '\u2025',
      'a\uff0fb',
      '\uff3c',
      '\u2024\u2024',
    ],
    ...[
      '..;',
      '.;x',
      '%2e%2e;',
      '. ',
      '..  ',
      '%252e%252e',
      '%25252fbob',
      '%25%32%66',
      '\uff052e\uff052e',
      '..%c0%af',
      '%c0%ae',
      '%ef%bc%8f',
    ],
  ])('refuses the value %j, which servers could take for another folder, and names the cure', (value) => {
    const refused = /^The claim "\w+" has a value that cannot be the name of a folder.*use another claim in the URL\.$/;
    expect(() => expand(template, { preferred_username: value })).toThrow(missing);
    expect(() => expand(template, { preferred_username: value })).toThrow(refused);
    expect(() => expand('https://x/{sub}/', {}, value)).toThrow(refused);
    expect(previewUrl('https://x/{sub}/', { subject: value, claims: {} })).toBe('https://x/{sub}/');
  });

  test('refuses to become longer than cookies and records hold', () => {
    expect(() => expand('https://x/{a}/', { a: '漢'.repeat(200) })).toThrow(/longer than 1000 characters/);
  });

  test.each([
    'ftp://cloud.example/{sub}/',
    'file:///home/{sub}/',
    '/dav/{sub}/',
    'https://user:password@cloud.example/{sub}/',
    'https://cloud.example/{sub}/?a=b',
    'https://cloud.example/{sub}/#a',
    'https://{sub}.example/',
    'https://cloud.example/{sub/',
    '',
  ])('refuses the template %s', (bad) => {
    expect(() => expand(bad, {}, 'alice')).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});

describe('the address of mail of a person', () => {
  const mail = 'imaps://{email}@imap.example';

  test.each([
    ['alice', 'imaps://alice@imap.example'],
    ['alice@b.example', 'imaps://alice%40b.example@imap.example'],
    ['a:b', 'imaps://a%3Ab@imap.example'],
    ['@evil.example#', 'imaps://%40evil.example%23@imap.example'],
    ['Zoë', 'imaps://Zo%C3%AB@imap.example'],
  ])('has %s in front of its server, which stays the same', (email, url) => {
    expect(expand(mail, { email })).toBe(url);
    expect(new URL(url).hostname).toBe('imap.example');
    expect(decodeURIComponent(new URL(url).username)).toBe(email);
  });

  test.each(['a/b', '..', 'a\\b', 'a\r\nb', ''])('is not made of %j', (email) => {
    expect(() => expand(mail, { email })).toThrow(missing);
  });

  test.each([
    'imaps://imap.example',
    'imaps://{email}@',
    'imaps://x@{email}',
    'imaps://x@{email}.example',
    'imaps://{email}:pw@imap.example',
    'imaps://{email}@imap.example/INBOX',
    'imaps://{email}@imap.example?x',
    'imaps://{email};AUTH=PLAIN@imap.example',
    'smtp://{email}@imap.example',
  ])('cannot be written as %s', (template) => {
    expect(() => expand(template, { email: 'alice' })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  test.each([
    [mail, 'imaps://imap.example'],
    ['imaps://{email}@IMAP.example:993/', 'imaps://imap.example'],
    ['imaps://a@b@imap.example:1993', 'imaps://imap.example:1993'],
    ['imap://{email}@127.0.0.1:143', 'imap://127.0.0.1'],
    ['imap://{email}@[::1]:1143', 'imap://[::1]:1143'],
  ])('%s is on the server %s', (template, origin) => {
    expect(originOf(template)).toBe(origin);
    expect(withoutClaims(template)).toBe(origin);
    const named = { filesUrl: 'https://imap.example/', filesOrigins: [origin] };
    expect(isNamedServer(template, named)).toBe(true);
    expect(isNamedServer(template, { ...named, filesOrigins: [] })).toBe(false);
  });
});
