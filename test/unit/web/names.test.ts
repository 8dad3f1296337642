import { describe, expect, it } from 'vitest';
import { name, pathName, plainName } from '../../../src/web/names.ts';
import { texts as german } from '../../../src/web/texts/de.ts';

const shown = async (text: string) => (await name(text)).toString();

describe('the name of a file on a page', () => {
  it.each([
    ['invoice\u202efdp.exe', 'invoice‹U+202E›fdp.exe'],
    ['a\u2066b\u2069', 'a‹U+2066›b‹U+2069›'],
    ['line\nbreak\u0000', 'line‹U+000A›break‹U+0000›'],
    ['zero\u200bwidth\ufeff', 'zero‹U+200B›width‹U+FEFF›'],
    ['tag\u{e0041}', 'tag‹U+E0041›'],
    ['filler\u115f\u1160\u3164\uffa0', 'filler‹U+115F›‹U+1160›‹U+3164›‹U+FFA0›'],
    ['pay\u200dpal', 'pay‹U+200D›pal'],
    ['\u200cstart', '‹U+200C›start'],
    ['half \udc80', 'half \ufffd'],
  ])('shows what would not be seen: %j', async (text, plain) => {
    expect(plainName(text)).toBe(plain);
    const code = /U\+[0-9A-F]+/.exec(plain)?.[0];
    if (code !== undefined) expect(await shown(text)).toContain(`>${code}</span>`);
    expect(await shown(text)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u200c\ufeff\0]/u);
  });

  it.each(['Müller & Söhne.txt', '👨‍👩‍👧.jpg', 'می‌خواهم.txt', 'עברית.pdf', '日本語'])(
    'leaves what is seen: %s',
    async (text) => {
      expect(plainName(text)).toBe(text);
      expect(await shown(text)).not.toContain('U+');
    },
  );

  it('is isolated from the direction of the page, and never markup', async () => {
    expect(await shown('<b>"&\'')).toBe('<bdi>&lt;b&gt;&quot;&amp;&#39;</bdi>');
    expect((await pathName('a/b')).toString()).toBe('<bdi>a</bdi> / <bdi>b</bdi>');
  });

  it('is in words of the language where it is the top of a snapshot', async () => {
    const words = async (path: string) => (await pathName(path, german.holding)).toString().replace(/<[^>]+>/g, '');
    expect(await words('files/files/a')).toBe('Dateien / files / a');
    expect(await words('toString/a')).toBe('toString / a');
  });
});
