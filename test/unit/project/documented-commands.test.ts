import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCommands } from '../../../src/cli/commands.ts';
import { parse } from '../../../src/cli/parse.ts';
import { settings } from '../../../src/config/settings.ts';

const read = (path: string) => readFileSync(path, 'utf8');
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/*.md')];
const commands = await loadCommands();
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));

/** A piece of code of a page: a line of a block is meant to be typed, what stands within a sentence may name a part of a command. */
interface Piece {
  readonly page: string;
  readonly text: string;
  readonly isTyped: boolean;
}

function piecesOf(page: string, source: string): Piece[] {
  const blocks = /^ *```\w*\n([\s\S]*?)^ *```$|(?<=\n\n)((?: {4}\S.*\n)+)/gm;
  const typed = [...source.matchAll(blocks)].flatMap(([, fenced, indented]) => (fenced ?? indented ?? '').split('\n'));
  const named = source.replaceAll(blocks, '').match(/`[^`\n]+`/g) ?? [];
  return [
    ...typed.map((text) => ({ page, text: text.replace(/(^|\s)#\s.*$/, '').trim(), isTyped: true })),
    ...named.map((text) => ({ page, text: text.slice(1, -1), isTyped: false })),
  ];
}

/** The words behind the name of the program, however it is called: by a shell, by npm or in a container. */
function wordsOf(text: string): string[] | undefined {
  const called = /^(?:npx )?nightkeep |^npm run nightkeep -- |\bnode src\/main\.ts |^docker compose run --rm worker /;
  const [start] = called.exec(text) ?? [];
  if (start === undefined) return undefined;
  const line = text.slice(text.indexOf(start) + start.length);
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
}

/** What is wrong with a command line; undefined where nothing is. */
function faultOf({ text, isTyped }: Piece): string | undefined {
  const words = wordsOf(text);
  if (words === undefined || /^(?:COMMAND|help|…|--version)/.test(words[0] ?? '')) return undefined;
  const name = [2, 1].map((count) => words.slice(0, count).join(' ')).find((one) => one in commands);
  if (name === undefined) {
    const isGroup = words.length === 1 && Object.keys(commands).some((one) => one.startsWith(`${words[0]} `));
    return isGroup && !isTyped ? undefined : 'no such command';
  }
  const command = commands[name] ?? expect.unreachable();
  const rest = words.slice(name.split(' ').length);
  const given = rest.filter((word, at) => !word.startsWith('-') && !rest[at - 1]?.startsWith('-'));
  const operands = isTyped || given.length > 0 ? command.operands : {};
  try {
    parse(name, operands === undefined ? command : { ...command, operands }, rest);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The overview of README writes what may be left out in brackets: tests of the command line compare it with each command. */
const isUsage = (text: string) => /\[--|\(\(?--| \| --/.test(text);

/** No commands, though they stand behind the name of the program: help, and the labels of what is derived from keys. */
const labels = new Set(['fingerprint', 'help', 'setup', 'state']);

const all = pages.flatMap((page) => piecesOf(page, read(page)));
const lines = all.filter(({ text }) => !isUsage(text));
const linesOf = (text: string): Piece[] => [{ page: 'x', text, isTyped: true }];

test.each([
  ['nightkeep bakcup --all', 'no such command'],
  ['npx nightkeep backup --al', 'There is no option --al'],
  ['docker compose run --rm worker keys retire', 'ID is missing'],
  ["nightkeep files move 'https://a/{sub}/' 'https://b/{sub}/' --dry", 'There is no option --dry'],
])('%s is found wrong', (text, fault) => {
  expect(linesOf(text).map(faultOf)).toEqual([expect.stringContaining(fault)]);
});

test('every command that the documentation tells somebody to type, or names, exists and takes what is given to it', () => {
  const called = lines.filter((one) => wordsOf(one.text) !== undefined);
  expect(called.length).toBeGreaterThan(150);
  expect(called.filter(({ isTyped }) => isTyped).length).toBeGreaterThan(25);
  const wrong = called.flatMap((one) => {
    const fault = faultOf(one);
    return fault === undefined ? [] : [`${one.page}: ${one.text}: ${fault}`];
  });
  expect(wrong).toEqual([]);
});

test('so does every command that pages, mails, checks, alerts and messages name as a cure', () => {
  const files = [...globSync('{src,worker,demo}/**/*.ts'), ...globSync('deploy/**/*.{yml,json,sh}')];
  const cured = /\bnightkeep ([a-z]+(?: [a-z]+)?)((?: --[a-z-]+(?: (?:[A-Z]+\b|\$\{[^}]*\}))?)*)/g;
  const named = files.flatMap((page) =>
    [...read(page).matchAll(cured)].map(([text, words = '', options = '']) => ({ page, text, words, options })),
  );
  expect(named.length).toBeGreaterThan(100);
  const wrong = named.filter(({ words, options }) => {
    const [first = ''] = words.split(' ');
    if (labels.has(first)) return false;
    const command = commands[words] ?? commands[first];
    const given = [...options.matchAll(/--([a-z-]+)/g)].map(([, option = '']) => option);
    return command === undefined || given.some((option) => !(option in command.options));
  });
  expect(wrong).toEqual([]);
});

test('every script of npm that the documentation or a message names exists', () => {
  const files = [...pages, ...globSync('{src,worker,demo,scripts,bench}/**/*.ts'), ...globSync('test/support/**/*.ts')];
  const named = files.flatMap((page) =>
    [...read(page).matchAll(/\bnpm run (?:--\S+ )*([a-z][a-z0-9:-]*)/g)].map(([, name = '']) => ({ page, name })),
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter(({ name }) => !(name in scripts))).toEqual([]);
});

test('every setting that the documentation names exists, or is one of what runs beside Nightkeep', () => {
  const beside = globSync(['docker-compose.yml', 'deploy/**/*.json', '{test,demo,scripts,bench}/**/*.ts']);
  const used = beside.map(read).join('\n');
  const ofStockPrograms = new Set(['NODE_EXTRA_CA_CERTS', 'RESTIC_REPOSITORY']);
  const named = all.flatMap(({ page, text }) =>
    (text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? []).map((name) => ({ page, name })),
  );
  expect(named.length).toBeGreaterThan(200);
  const unknown = named.filter(({ name }) => !(name in settings || name.replace(/_FILE$/, '') in settings));
  const isUsed = (name: string) => new RegExp(String.raw`\b(?:process\.env\.)?${name}\b`).test(used);
  expect(unknown.filter(({ name }) => name !== 'NAME_FILE' && !ofStockPrograms.has(name) && !isUsed(name))).toEqual([]);
});

test('every option that the documentation names by itself is one of a command, a benchmark or a suite', () => {
  const own = new Set(Object.values(commands).flatMap(({ options }) => Object.keys(options)));
  const elsewhere = globSync('{bench,scripts,demo,test/fuzz,test/chaos,test/faults}/**/*.ts').map(read).join('\n');
  const ofStockPrograms = new Set(['append-only', 'ignore-scripts', 'private-repos']);
  const alone = all.flatMap(({ page, text }) => {
    const [, name = ''] = /^(?:-- )?--([a-z][a-z-]*)/.exec(text) ?? [];
    return name === '' || own.has(name) || ofStockPrograms.has(name) ? [] : [{ page, text, name }];
  });
  expect(alone.length).toBeGreaterThan(10);
  expect(alone.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(elsewhere))).toEqual([]);
});

test('every link between pages leads to a file, and to a heading of it', () => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  const anchorsOf = (page: string) => [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
  const broken = [...pages, 'CHANGELOG.md'].flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, to = '']) => {
      if (/^[a-z]+:/.test(to)) return [];
      const [path = '', anchor] = to.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      const isThere = existsSync(target) && (anchor === undefined || anchorsOf(target).includes(anchor));
      return isThere ? [] : [`${page}: ${to}`];
    }),
  );
  expect(broken).toEqual([]);
});
