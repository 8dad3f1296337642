import { expect, test } from 'vitest';
import { errorCodes } from '../../../src/errors.ts';
import { whyInWords } from '../../../src/web/english.ts';
import { listTexts, textsFor } from '../../../src/web/texts/languages.ts';

const [english, german] = [textsFor({ person: 'en' }), textsFor({ person: 'de' })];

test('a message says by itself why where it is in the language of the page, and is quoted in any other', async () => {
  const why = (texts: typeof english, code: string) => String(whyInWords(texts, code, 'No <b>.'));
  expect(why(english, 'source/forbidden')).toBe('No &lt;b&gt;.');
  expect(why(german, 'source/forbidden')).toBe(
    'der Server lässt Nightkeep das nicht tun <span class="soft">(<span lang="en">No &lt;b&gt;.</span>)</span>',
  );
  expect(why(german, 'another/code')).toBe('<span lang="en">No &lt;b&gt;.</span>');
});

test.each(
  listTexts()
    .filter(({ language }) => language !== 'en')
    .map((texts) => [texts.languageName, texts] as const),
)('%s has words for whatever a server of people’s data did', (_, { problems }) => {
  const codes = Object.keys(errorCodes).filter((code) => /^(source|restore)\//.test(code));
  const unsaid = codes.filter((code) => !Object.hasOwn(problems, code));
  // A restore to the source writes into something new.
  expect(unsaid).toEqual(['restore/would-overwrite']);
});
