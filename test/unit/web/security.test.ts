import { describe, expect, it } from 'vitest';
import { localPath } from '../../../src/web/security.ts';

describe('where a sign-in leads back to', () => {
  const home = new URL('https://keep.example');

  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https://evil.example/',
    '/\t/evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    '',
    undefined,
  ])('is never another site: %s', (text) => {
    expect(new URL(localPath(text, home), home).origin).toBe(home.origin);
    expect(localPath(text, home)).toMatch(/^\/(?!\/)/);
  });

  it('is a page of ours with its query', () => {
    expect(localPath('/runs/1?scope=offline_access', home)).toBe('/runs/1?scope=offline_access');
  });
});
