import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const document = readFileSync('docs/security.md', 'utf8');

/** How many requirements each section of ASVS 4.0.3 has, without those of level 3 alone and those that were deleted. */
const asvs: Readonly<Record<string, readonly number[]>> = {
  ...{ 'V1.1': to(7), 'V1.2': to(4), 'V1.4': [1, 4, 5], 'V1.5': to(4), 'V1.6': to(4), 'V1.7': to(2), 'V1.8': to(2) },
  ...{ 'V1.9': to(2), 'V1.10': to(1), 'V1.11': to(2), 'V1.12': [2], 'V1.14': to(6) },
  ...{ 'V2.1': to(12), 'V2.2': to(3), 'V2.3': to(3), 'V2.4': to(5), 'V2.5': to(7), 'V2.6': to(3), 'V2.7': to(6) },
  ...{ 'V2.8': to(7), 'V2.9': to(3), 'V2.10': to(4) },
  ...{ 'V3.1': to(1), 'V3.2': to(4), 'V3.3': to(4), 'V3.4': to(5), 'V3.5': to(3), 'V3.7': to(1) },
  ...{ 'V4.1': [1, 2, 3, 5], 'V4.2': to(2), 'V4.3': to(3) },
  ...{ 'V5.1': to(5), 'V5.2': to(8), 'V5.3': to(10), 'V5.4': to(3), 'V5.5': to(4) },
  ...{ 'V6.1': to(3), 'V6.2': to(6), 'V6.3': to(2), 'V6.4': to(2) },
  ...{ 'V7.1': to(4), 'V7.2': to(2), 'V7.3': [1, 3, 4], 'V7.4': to(3) },
  ...{ 'V8.1': to(4), 'V8.2': to(3), 'V8.3': to(8), 'V9.1': to(3), 'V9.2': to(4), 'V10.2': to(2), 'V10.3': to(3) },
  ...{ 'V11.1': to(8), 'V12.1': to(3), 'V12.2': to(1), 'V12.3': to(6), 'V12.4': to(2), 'V12.5': to(2), 'V12.6': to(1) },
  ...{ 'V13.1': [1, 3, 4, 5], 'V13.2': [1, 2, 3, 5, 6], 'V13.3': to(2), 'V13.4': to(2) },
  ...{ 'V14.1': to(4), 'V14.2': to(6), 'V14.3': [2, 3], 'V14.4': to(7), 'V14.5': to(4) },
};

function to(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

interface Row {
  readonly requirement: string;
  readonly answer: string;
  readonly where: string;
}

/** The rows of the tables of requirements. */
const rows: readonly Row[] = document.split('\n').flatMap((line) => {
  const [requirement = '', answer = '', where = '', ...rest] = line
    .split(' | ')
    .map((cell) => cell.replace(/^\| | ?\|$/g, ''));
  return /^(V\d|\d\.\d)/.test(requirement) && rest.length === 0 ? [{ requirement, answer, where }] : [];
});

/** The requirements that a row names: `V1.2.3–V1.2.5, V2.1.1 …`. */
function numbersIn(requirement: string): string[] {
  const named = /^(?:V[\d.]+(?:–V[\d.]+)?(?:, )?)+/.exec(requirement)?.[0] ?? '';
  return [...named.matchAll(/(V\d+\.\d+)\.(\d+)(?:–\1\.(\d+))?/g)].flatMap(([, section = '', first, last]) =>
    (asvs[section] ?? [])
      .filter((one) => one >= Number(first) && one <= Number(last ?? first))
      .map((one) => `${section}.${one}`),
  );
}

/** Whether a text of the source is all of this title, and no part of another. */
function isTitleIn(source: string, title: string): boolean {
  const text = source.replaceAll("\\'", "'");
  return ["'", '"', '`'].some((quote) => text.includes(quote + title + quote));
}

/** What clients are asked by RFC 9700, sections 2 and 4. */
const rfc9700 = [
  ...['2.1', '2.1.1', '2.1.2', '2.2.1', '2.2.2', '2.3', '2.4', '2.5', '2.6'],
  ...to(17).map((number) => `4.${number}`),
];

describe('docs/security.md', () => {
  test('answers each section of RFC 9700 that asks something of clients, and no other', () => {
    const answered = rows.flatMap(({ requirement }) => {
      const [sections = ''] = /^\d\.[\d., ]*/.exec(requirement) ?? [];
      return sections.trim() === '' ? [] : sections.trim().split(', ');
    });
    expect([...new Set(answered)].toSorted()).toEqual(rfc9700.toSorted());
  });

  test('names files that are there, and tests that they hold, wherever it does', () => {
    const named = [...document.matchAll(/`((?:src|test|docs|scripts|deploy|demo)\/[\w./-]+)`((?:,? ?“[^”]*”)*)/g)];
    expect(named.length).toBeGreaterThan(200);
    for (const [, path = '', titles = ''] of named) {
      expect(existsSync(path), path).toBe(true);
      for (const [, title = ''] of titles.matchAll(/“([^”]*)”/g))
        expect(isTitleIn(readFileSync(path, 'utf8'), title), `${path}: ${title}`).toBe(true);
    }
  });

  test('answers each requirement of ASVS 4.0 at levels 1 and 2 once, and no other', () => {
    const all = Object.entries(asvs).flatMap(([section, numbers]) => numbers.map((number) => `${section}.${number}`));
    expect(rows.flatMap(({ requirement }) => numbersIn(requirement)).toSorted()).toEqual(all.toSorted());
  });

  test('has one of six answers to each, with a reason for all but those that are the provider’s', () => {
    for (const { requirement, answer, where } of rows) {
      expect(['met', 'partly', 'not met', 'not applicable', 'operator', 'provider'], requirement).toContain(answer);
      if (answer !== 'provider') expect(where, requirement).not.toBe('');
    }
  });

  test.each(rows.map((row) => [row.requirement, row] as const))(
    'cites files that are there, and tests that they hold: %s',
    (_, { where }) => {
      for (const [, path = '', titles = ''] of where.matchAll(
        /`((?:src|test|docs|scripts|deploy)\/[\w./-]+|Dockerfile|CONTRIBUTING\.md|docker-compose\.yml|package-lock\.json|biome\.json)`((?:,? ?“[^”]*”)*)/g,
      )) {
        expect(existsSync(path), path).toBe(true);
        const cited = [...titles.matchAll(/“([^”]*)”/g)].map(([, title = '']) => title);
        const source = cited.length > 0 ? readFileSync(path, 'utf8') : '';
        for (const title of cited) expect(isTitleIn(source, title), `${path}: ${title}`).toBe(true);
      }
      const quoted = where.match(/“/g)?.length ?? 0;
      const cited = [...where.matchAll(/`test\/[\w./-]+`((?:,? ?“[^”]*”)*)/g)].flatMap(
        ([, titles = '']) => titles.match(/“/g) ?? [],
      );
      expect(quoted - cited.length, 'titles that follow no file').toBe(where.startsWith('“What is protected') ? 1 : 0);
    },
  );
});
