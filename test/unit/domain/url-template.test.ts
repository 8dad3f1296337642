import { describe, expect, test } from 'vitest';
import { expandUrl, previewUrl } from '../../../src/domain/url-template.ts';

const template = 'https://cloud.example/remote.php/dav/files/{preferred_username}/';

describe('the URL of a person', () => {
  test('has the claim in its place', () => {
    expect(expandUrl(template, { preferred_username: 'alice' })).toBe(
      'https://cloud.example/remote.php/dav/files/alice/',
    );
  });

  test.each([
    ['a/../../bob', 'a%2F..%2F..%2Fbob'],
    ['x?y#z', 'x%3Fy%23z'],
    ['100%', '100%25'],
    ['Zoë Smith', 'Zo%C3%AB%20Smith'],
    ['{sub}', '%7Bsub%7D'],
  ])('has the value %s percent-encoded', (value, encoded) => {
    expect(expandUrl(template, { preferred_username: value })).toBe(
      `https://cloud.example/remote.php/dav/files/${encoded}/`,
    );
  });

  test('takes several claims, numbers too', () => {
    expect(expandUrl('http://dav.example:8080/{tenant}/{uid}/', { tenant: 'a', uid: 42 })).toBe(
      'http://dav.example:8080/a/42/',
    );
  });

  test('is shown with what is known of the person already, the rest as it is', () => {
    const known = { sub: 'a b', preferred_username: null };
    expect(previewUrl('https://x/{sub}/{preferred_username}/{constructor}/', known)).toBe(
      'https://x/a%20b/{preferred_username}/{constructor}/',
    );
  });

  test('names a claim that is missing, and the cure', () => {
    expect(() => expandUrl(template, { sub: '1' })).toThrow(
      `The source URL ${template} needs the claim "preferred_username", which the provider did not send. ` +
        'Let the client receive it (a mapper or scope at the provider), or use another claim in the URL.',
    );
    expect(() => expandUrl('https://x/{constructor}/', {})).toThrow(/needs the claim "constructor"/);
  });

  test.each(['.', '..', '', 'nul\0', '\ud800', ['alice'], { name: 'alice' }])('refuses the value %j', (value) => {
    expect(() => expandUrl(template, { preferred_username: value })).toThrow(
      expect.objectContaining({ code: 'config/invalid' }),
    );
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
    expect(() => expandUrl(bad, { sub: 'alice' })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});
