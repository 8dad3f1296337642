import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

const nouns =
  'backups blobs bytes cards characters connections days entries exchanges exports files folders grants hours keys minutes ' +
  'nights packs pages people persons repositories requests rows runs seconds snapshots times tokens values';
/** A number in a sentence with such a word behind it, or one more word between: `${count} damaged packs`. */
const counted = new RegExp(
  String.raw`\$\{([^{}\`]+)\} (?:[a-z]+ )?(?:(?:${nouns.replaceAll(' ', '|')})\b|[a-z]+\(s\))`,
  'g',
);

/** Plurals that would be said of one as well. Texts of pages have a test of their own, which calls them. */
function findPlurals(source: string): string[] {
  return [...source.matchAll(counted)].flatMap(([found, expression = '']) =>
    /countWords\(|countUpTo\(| === 1 \? /.test(expression) ? [] : [found],
  );
}

/** In sources; braces are written without the dollar here. */
const inSource = (text: string) => text.replaceAll('{', '${');

/** What is no number, or none that can be one, or a record for programs. */
const neverOne = [
  'src/database/nights/run-returns.ts: {lost} times',
  'src/doctor/checks/store.ts: {folder} accepts files',
  'src/doctor/checks/store.ts: {location} accepts files',
  'src/doctor/doctor.ts: {limitMs / 1000} seconds',
  'src/domain/url-template.ts: {mostCharacters} characters',
  'src/log.ts: {text.length} characters',
  'src/log.ts: {value.byteLength} bytes',
  'src/queues/outages.ts: {server} runs',
  'src/store/archiver/descent.ts: {deepest.folders} folders',
  'src/store/archiver/descent.ts: {deepest.pathBytes} bytes',
  'src/store/restorer/extent.ts: {deepest} folders',
  'src/store/restorer/extent.ts: {mostEntries} files',
  'src/web/cookies.ts: {size} bytes',
  'src/web/recovery-sheet.ts: {repository} snapshots',
  'src/web/snapshot.ts: {mostNames} folders',
].map(inSource);

test.each([
  ['a noun behind a number', '`{count} files`', ['{count} files']],
  ['one behind one more word', '`{count} damaged packs`', ['{count} damaged packs']],
  ['a letter in brackets', '`{count} migration(s)`', ['{count} migration(s)']],
  ['none that was counted', "`{countWords(count, 'file')} of these packs`", []],
])('%s is found', (_case, source, found) => {
  expect(findPlurals(inSource(source))).toEqual(found.map(inSource));
});

test('no command, check or message says a plural of one', async () => {
  const files = await Array.fromAsync(glob('{src,worker}/**/*.ts', { cwd: root, exclude: ['src/web/texts/**'] }));
  const found = files.flatMap((file) =>
    findPlurals(readFileSync(join(root, file), 'utf8')).map((words) => `${file}: ${words}`),
  );
  expect(files.length).toBeGreaterThan(500);
  expect([...new Set(found)].toSorted()).toEqual(neverOne);
});
