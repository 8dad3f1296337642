import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sources = globSync(['src/**/*.ts', 'worker/**/*.ts'])
  .filter((path) => !path.includes('/generated/'))
  .map((path) => [path.replaceAll('\\', '/'), readFileSync(path, 'utf8')] as const);

const filesWith = (sign: RegExp) => sources.flatMap(([path, text]) => (sign.test(text) ? [path] : [])).toSorted();

test('no code is made of text, and no program is started through a shell', () => {
  expect(filesWith(/\beval\(|new Function\(|node:vm/)).toEqual([]);
  expect(filesWith(/\bshell:|\bexecSync\b|\bexec\b[^(]*\} from 'node:child_process'/)).toEqual([]);
  expect(filesWith(/from 'node:child_process'/)).toEqual([
    'src/database/server/embedded-programs.ts',
    'src/database/server/embedded-server.ts',
    'src/store/restorer/system-calls.ts',
  ]);
});

test('statements are made of text where they name tables, columns and settings of ours alone', () => {
  const made = filesWith(
    /RawUnsafe\b|\bPrisma\.raw\b|\bsql\b[^;]*\braw\b[^;]*\} = Prisma|\{[^}]*\braw\b[^}]*\} = Prisma/,
  );
  expect(made).toEqual([
    'src/database/joined.ts',
    'src/database/nights/run-leases.ts',
    'src/database/nights/turns.ts',
    'src/database/people/people.ts',
    'src/database/records/tallies.ts',
    'src/database/server/clock-ahead.ts',
    'src/database/server/inspect-server.ts',
    'src/database/state/sealed-values.ts',
    'src/database/state/state.ts',
  ]);
});

test('nothing is put into a page as markup that was not written as such', () => {
  expect(filesWith(/\braw\b[^;]*\} from 'hono\/html'/)).toEqual([
    'src/web/icons.ts',
    'src/web/plots/heat-map.ts',
    'src/web/recovery-sheet.ts',
  ]);
  expect(filesWith(/\.innerHTML\b|outerHTML|insertAdjacentHTML|document\.write/)).toEqual(['src/web/live-script.ts']);
});

test('browsers keep nothing but cookies', () => {
  expect(filesWith(/localStorage|sessionStorage|indexedDB|caches\.open|serviceWorker/)).toEqual([]);
});

test('what may be guessed chooses samples and moments alone', () => {
  expect(filesWith(/Math\.random/)).toEqual([
    'src/flows/adoption/keep-card.ts',
    'src/flows/nights/back-up.ts',
    'src/flows/verification/verify-due.ts',
    'src/sources/dav/webdav.ts',
    'src/sources/dav/writer.ts',
    'src/sources/imap/imap-source.ts',
    'src/sources/imap/mail-writer.ts',
    'src/store/repository/check.ts',
  ]);
});
