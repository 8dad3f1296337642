import { countWords } from '../count-words.ts';
import { AppError } from '../errors.ts';
import { type TakenOverCards, takeOverCards } from '../flows/adoption/take-over-cards.ts';
import { confirmReplayed, inspectMarks } from '../flows/keys/replayed-rows.ts';
import { exportIntoStore } from '../flows/state/export-into-store.ts';
import { exportState, importState, type MovedState } from '../flows/state/move-state.ts';
import { importFromStore, type ListedExport, listStoredExports } from '../flows/state/stored-exports.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, type Output, printAnswer, printList, text } from './command.ts';
import { openInterrupt, saidOfStop } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { requireStoreFolder } from './store-folder.ts';

/** Saves Nightkeep's own state in a file, or in the store as workers do every night. */
export const exportCommand: Command = {
  usage: '(--to FILE [--with-tokens] | --to-store) [--json]',
  summary: "save Nightkeep's own state, sealed with the keyring",
  options: {
    to: { value: 'FILE', help: 'the file to write; an existing one is replaced' },
    'to-store': { help: 'to the store, as every night; the oldest are removed (STATE_EXPORTS)' },
    'with-tokens': { help: 'offline tokens too: if an old one is sent, the provider may end its session' },
    ...json,
  },
  exits: { 3: 'older exports could not be removed from the store' },
  run: async (options, output) => {
    const [to, withTokens] = [text(options, 'to'), options['with-tokens'] === true];
    const intoStore = options['to-store'] === true;
    if ((to !== undefined) === intoStore)
      throw new AppError('usage/invalid', 'Name the file to write with --to FILE, or the store with --to-store.');
    if (intoStore && withTokens)
      throw new AppError('usage/invalid', '--with-tokens goes with --to FILE: no token is put into the store.');
    await using resources = await openRepositoriesFromEnvironment();
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const stopped = whenStopped('Nothing was exported, and exports that were there are as they were.');
    if (to === undefined) return await exportToStore(resources, options, output, signal).catch(stopped);
    const moved = await exportState(resources, { to, withTokens, by: commandActor(), signal }).catch(stopped);
    const agree = withTokens ? '' : ` ${withoutTokens}`;
    printAnswer(output, options, moved, `Exported ${countWords(countOf(moved), 'row')} to ${to}.${agree}`);
    return 0;
  },
};

function whenStopped(words: string): (error: unknown) => Promise<never> {
  return (error) => Promise.reject(saidOfStop(error, `Stopped. ${words}`));
}

const withoutTokens = 'Offline tokens are not in it: after an import people agree again.';

/** Of how many people the imported rows are older than the marks in the store say, and of how many no mark can be read. */
interface Age {
  older: number;
  unread: number;
}

/** Compares what was imported with the marks in the store; `confirm` accepts the rows that are older. */
async function judgeAge(resources: RepositoryResources, { confirm }: { confirm: boolean }): Promise<Age> {
  const found = confirm ? confirmReplayed(resources, { userIds: null, by: commandActor() }) : inspectMarks(resources);
  const rows = await Array.fromAsync(found);
  const unread = rows.filter((row) => 'problem' in row).length;
  return { older: rows.length - unread, unread };
}

function ageWords({ older, unread }: Age, { confirmed }: { confirmed: boolean }): string {
  const people = (count: number) => countWords(count, 'person', 'people');
  const lacks =
    unread === 0
      ? ''
      : ` Of ${people(unread)} the store could not say how new the rows are: nightkeep keys confirm names them.`;
  if (older === 0) return lacks;
  if (confirmed) return ` The rows of ${people(older)} were newer before, and are accepted as they are now.${lacks}`;
  return ` NOT DONE YET: the rows of ${people(older)} were newer before, and their work stops until that is accepted. Before any process is started, nightkeep keys confirm lists them, and nightkeep keys confirm --all accepts what was imported.${lacks}`;
}

function cardWords({ newer, unread, elsewhere }: TakenOverCards): string {
  const people = (count: number) => countWords(count, 'person', 'people');
  const since =
    newer === 0 ? '' : ` Of ${people(newer)} the card in the store is newer, and what it says was taken over.`;
  const lacks = unread === 0 ? '' : ` Of ${people(unread)} it could not be read.`;
  const moved =
    elsewhere === 0
      ? ''
      : ` NOT DONE YET: the repositories of ${people(elsewhere)} are not in the store where they were, or without their card. If they were moved since, find them before any process is started: nightkeep adopt --store URL.`;
  return since + lacks + moved;
}

async function exportToStore(
  resources: RepositoryResources,
  options: Options,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const done = await exportIntoStore(resources, { by: commandActor(), signal });
  const { bytes, kept, overdue } = done;
  const left =
    overdue === 0
      ? ''
      : ` ${overdue} of them should be gone, and the key in STORE_KEYS may not delete: whoever holds one that may runs this command with it.`;
  const words = `Exported ${countWords(bytes, 'byte')} into the store, which has ${countWords(kept, 'export')} now.${left} ${withoutTokens}`;
  printAnswer(output, options, done, words);
  return overdue === 0 ? 0 : 3;
}

/** Reads such an export into an empty database. */
export const importCommand: Command = {
  usage: '((--from FILE | --from-store NAME) [--confirm] | --list) [--json]',
  summary: 'import an export into an empty, migrated database',
  options: {
    from: { value: 'FILE', help: 'what nightkeep export --to wrote' },
    'from-store': { value: 'NAME', help: 'an export in the store: latest, or the beginning of its name' },
    confirm: { help: 'accept imported rows that are older than those last used: no other process may run' },
    list: { help: 'the exports in the store, the newest first, and whether the keyring opens them' },
    ...json,
  },
  run: async (options, output) => {
    const [from, name] = [text(options, 'from'), text(options, 'from-store')];
    const list = options.list === true;
    if ([from !== undefined, name !== undefined, list].filter(Boolean).length !== 1)
      throw new AppError(
        'usage/invalid',
        'Name the file to read with --from FILE, or the export in the store with --from-store latest; --list shows those.',
      );
    if (list && options.confirm === true)
      throw new AppError('usage/invalid', '--confirm goes with --from FILE or --from-store NAME.');
    await using resources = await openRepositoriesFromEnvironment({ begins: true });
    if (from === undefined) requireStoreFolder(resources.config.store);
    if (!list) return await importOne(resources, { from, name }, options, output);
    const rows = await listStoredExports(resources);
    printList(output, options, { rows, lineOf, none: 'There is no export in the store.' });
    return 0;
  },
};

/** Imports it from the file, or from the store by its name; then takes over what cards and marks in the store say that is newer. */
async function importOne(
  resources: RepositoryResources,
  { from = '', name }: { from: string | undefined; name: string | undefined },
  options: Options,
  output: Output,
): Promise<number> {
  const by = commandActor();
  using interrupt = openInterrupt();
  const importing = { by, signal: interrupt.signal };
  const moved = await (name === undefined
    ? importState(resources, { from, ...importing })
    : importFromStore(resources, { name, ...importing })
  ).catch(whenStopped('Nothing was imported.'));
  const agree = moved.withTokens
    ? ' Tokens that were used since may end a session: those people agree again.'
    : ' People are asked to agree again.';
  const confirm = options.confirm === true;
  const cards = await takeOverCards(resources, { since: new Date(moved.createdAt), by });
  const age = await judgeAge(resources, { confirm });
  const words = `Imported ${countWords(countOf(moved), 'row')}, as they were at ${moved.createdAt}.${agree}${cardWords(cards)}${ageWords(age, { confirmed: confirm })}`;
  printAnswer(output, options, { ...moved, ...age, cards }, words);
  return 0;
}

function lineOf({ name, bytes, problem, version }: ListedExport): string {
  return `${name}: ${countWords(bytes, 'byte')}${problem === undefined ? `, of Nightkeep ${version}` : `. ${problem}`}`;
}

function countOf({ rows }: MovedState): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}
