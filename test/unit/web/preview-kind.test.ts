import { describe, expect, it } from 'vitest';
import { judgedBytes, previewKind } from '../../../src/web/preview-kind.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('what of a file is shown', () => {
  it.each([
    ['\x89PNG\r\n\x1a\n\0\0', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a\x01', 'image/gif'],
    ['GIF87a\x01', 'image/gif'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'image/webp'],
    ['%PDF-1.7\n', 'application/pdf'],
  ])('is told by its first bytes: %j', (head, type) => {
    expect(previewKind(bytes(head), 5000)).toMatchObject({ type, bytes: 5000 });
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<!doctype html><script>',
    '<?xml version="1.0"?>',
    'GIF88a',
    ' %PDF-1.4',
  ])('is nothing but text where it is markup, or no more than looks like a picture: %s', (head) =>
    expect(previewKind(Buffer.from(head), head.length)).toMatchObject({
      kind: 'text',
      type: 'text/plain; charset=utf-8',
    }),
  );

  it.each(['', 'MZ\x90\0', 'RIFF\x10\0\0\0WAVE', 'caf\xe9', '\xff\xfea\0', '\x1b[31m', 'PK\x03\x04'])(
    'is nothing where it is neither: %j',
    (head) => expect(previewKind(bytes(head), head.length)).toBeUndefined(),
  );

  it('is the beginning of a long text, and nothing of a picture or PDF that is too large', () => {
    expect(previewKind(bytes('a'), 10 ** 9)).toMatchObject({ kind: 'text', bytes: 256 * 1024 });
    expect(previewKind(bytes('\xff\xd8\xff'), 32 * 1024 ** 2)).toBeDefined();
    expect(previewKind(bytes('\xff\xd8\xff'), 32 * 1024 ** 2 + 1)).toBeUndefined();
    expect(previewKind(bytes('%PDF-1'), 64 * 1024 ** 2 + 1)).toBeUndefined();
  });

  it('is said to take so many rows where it is a short text', () => {
    const rows = (text: string, size = text.length) => previewKind(bytes(text), size)?.rows;
    expect(rows('one line')).toBe(1);
    expect(rows('two\nlines')).toBe(2);
    expect(rows(`${'x'.repeat(90)}\n\ny`)).toBe(4);
    expect(rows('cut', 4)).toBeUndefined();
  });

  it('is text also where its beginning ends within a character', () => {
    const long = Buffer.from('日'.repeat(judgedBytes)).subarray(0, judgedBytes);
    expect(previewKind(long, 10 ** 6)).toMatchObject({ kind: 'text' });
  });
});
