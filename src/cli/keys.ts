import { countWords } from '../count-words.ts';
import { saveAudit } from '../database/audit.ts';
import { findUsersByName } from '../database/nights/command-views.ts';
import { AppError } from '../errors.ts';
import { type BrokenRow, confirmRows, findBrokenRows } from '../flows/keys/broken-rows.ts';
import { confirmReplayed, inspectMarks, type Replayed, type Unmarked } from '../flows/keys/replayed-rows.ts';
import { type KeyUse, listKeys, retireKey } from '../flows/keys/retire-key.ts';
import { rotateKeys } from '../flows/keys/rotate-keys.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { isUuid } from '../uuid.ts';
import { openSpoolBelow } from '../vault/spool.ts';
import { commandActor } from './actor.ts';
import {
  type Command,
  json,
  type Options,
  type Output,
  printAnswer,
  printList,
  printTable,
  tell,
  text,
} from './command.ts';
import { writeDueCards } from './due-cards.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import type { Column } from './table.ts';

/** Lists the keys of the keyring and what is sealed under each; exit code 1 when one is missing. */
export const keys: Command = {
  usage: '[--json]',
  summary: 'list the keys, and what is sealed under each',
  options: json,
  exits: { 1: 'failed, or a key is missing' },
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    const rows = await listKeys({ ...resources, spool: openSpoolBelow(resources.config.dataDir) });
    printTable(output, options, { rows, columns, none: 'None.' });
    return rows.some(({ state }) => state === 'missing') ? 1 : 0;
  },
};

/** Seals everything under the newest key; what does not open stays, and the exit code is 3. Stopped, it can be run again. */
export const keysRotate: Command = {
  usage: '[--json]',
  summary: 'seal everything under the newest key',
  options: json,
  exits: { 3: 'some values do not open and stay as they are, or some cards could not be written' },
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    const key = resources.keyring.newest;
    const { resealed, broken } = await rotateKeys(resources, (done, total) =>
      tell(options, `${done} of ${total} sealed under ${key}`),
    );
    const written = await writeDueCards(resources);
    const at = resources.clock.now();
    await saveAudit(resources.database, { at, by: commandActor(), act: 'keys-rotated', about: key });
    const words = `Sealed ${countWords(resealed, 'value')} and ${countWords(written.cards, 'card')} under ${key}.`;
    const left =
      broken === 0
        ? ''
        : ` ${broken === 1 ? '1 does not open and stays as it is; the log names it' : `${broken} do not open and stay as they are; the log names them`}.`;
    const { cards, cardsFailed } = written;
    printAnswer(output, options, { key, resealed, broken, cards, cardsFailed }, words + left + written.left);
    return broken + cardsFailed === 0 ? 0 : 3;
  },
};

/** Checks that a key may be removed from the keyring: nothing is sealed under it any more. */
export const keysRetire: Command = {
  usage: 'ID [--json]',
  summary: 'check that a key may be removed from the keyring',
  options: json,
  operands: { id: 'the key, as nightkeep keys lists it' },
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    const key = text(options, 'id') ?? '';
    const spool = openSpoolBelow(resources.config.dataDir);
    await retireKey({ ...resources, spool }, { keyId: key, by: commandActor() });
    const next = 'Take it out of the keyring and restart every process; then it may be destroyed.';
    printAnswer(output, options, { key }, `Nothing is sealed under ${key} any more. ${next}`);
    return 0;
  },
};

/**
 * Lists the rows of the database that are not as Nightkeep left them, or older than they were; with --user it accepts what those of that person say, with --all
 * the older ones of everybody.
 */
export const keysConfirm: Command = {
  usage: '[--user ID | --all] [--json]',
  summary: 'list database rows that were changed or put back by others, or confirm them',
  options: {
    user: { value: 'ID', help: 'accept the rows of this person as they are: look at them first' },
    all: { help: 'accept older rows of everybody, after the database was restored from a backup' },
    ...json,
  },
  exits: { 1: 'failed, or some are as they should not be' },
  run: async (options, output) => {
    const userId = text(options, 'user');
    const all = options.all === true;
    if (all && userId !== undefined) throw new AppError('usage/invalid', 'Say either --user ID or --all.');
    if (userId !== undefined && !isUuid(userId))
      throw new AppError('usage/invalid', '--user takes the id that the list shows.');
    await using resources = await openRepositoriesFromEnvironment();
    if (all) return await confirmOlder(resources, options, output);
    return await (userId === undefined
      ? listOdd(resources, options, output)
      : confirm(resources, userId, options, output));
  },
};

async function listOdd(resources: RepositoryResources, options: Options, output: Output): Promise<number> {
  const rows = [...(await findBrokenRows(resources)), ...(await Array.fromAsync(inspectMarks(resources)))];
  const lineOf = (row: (typeof rows)[number]) => ('facts' in row ? rowLine(row) : markLine(row));
  printList(output, options, { rows, lineOf, none: 'Every row is as Nightkeep left it.' });
  return rows.length === 0 ? 0 : 1;
}

async function confirmOlder(resources: RepositoryResources, options: Options, output: Output): Promise<number> {
  const rows = await Array.fromAsync(confirmReplayed(resources, { userIds: null, by: commandActor() }));
  printList(output, options, { rows, lineOf: confirmedLine, none: 'No row is older than it was.' });
  return rows.some((row) => 'problem' in row) ? 1 : 0;
}

async function confirm(
  resources: RepositoryResources,
  userId: string,
  options: Options,
  output: Output,
): Promise<number> {
  const by = commandActor();
  await requireSomebody(resources, userId);
  const { confirmed, left } = await confirmRows(resources, { userId, by });
  const older = await Array.fromAsync(confirmReplayed(resources, { userIds: [userId], by }));
  const rows = [
    ...confirmed.map((row) => ({ ...row, state: 'confirmed' })),
    ...left.map((row) => ({ ...row, state: `not confirmed: ${sealedElsewhere}` })),
    ...older.map((row) => ({ ...row, state: 'problem' in row ? 'not confirmed' : 'confirmed' })),
  ];
  const lineOf = (row: (typeof rows)[number]) =>
    'facts' in row ? `${rowLine(row)}: ${row.state}` : confirmedLine(row);
  printList(output, options, { rows, lineOf, none: 'Every row of this person is as Nightkeep left it.' });
  return rows.some(({ state }) => state !== 'confirmed') ? 1 : 0;
}

/** A row may name a person whose own is gone. Throws `request/not-found` where there is nothing of that id. */
async function requireSomebody(resources: RepositoryResources, userId: string): Promise<void> {
  const [known] = await findUsersByName(resources.database, userId);
  if (known === undefined && (await findBrokenRows(resources, userId)).length === 0)
    throw new AppError('request/not-found', `Nobody here has the id ${userId}. See: nightkeep keys confirm`);
}

const sealedElsewhere =
  'its password is sealed for another owner or place, so put user_id, location and store back as the card in its folder says (nightkeep adopt --dry-run shows cards of folders that no row names)';

function confirmedLine(row: Replayed | Unmarked): string {
  return 'problem' in row ? markLine(row) : `${markLine(row)}: confirmed`;
}

function markLine(row: Replayed | Unmarked): string {
  return 'problem' in row
    ? `mark of ${row.userId}: ${row.problem}`
    : `older rows of ${row.userId}: ${row.older.join(', ')}`;
}

function rowLine({ kind, userId, facts }: BrokenRow): string {
  return `${kind} of ${userId}: ${JSON.stringify(facts)}`;
}

const states: Record<KeyUse['state'], string> = {
  sealing: 'seals',
  opening: 'opens',
  idle: 'idle',
  missing: 'MISSING',
};

const columns: readonly Column<KeyUse>[] = [
  { name: 'KEY', of: ({ id }) => id, stretches: true },
  { name: 'STATE', of: ({ state }) => states[state] },
  { name: 'IN FRONT SINCE', of: ({ since }) => since?.toISOString().slice(0, 10) ?? 'never' },
  { name: 'SEALS', of: ({ sealed }) => sealsOf(sealed), stretches: true },
];

function sealsOf(sealed: KeyUse['sealed']): string {
  const uses = Object.entries(sealed).map(([kind, count]) => `${kind}: ${count}`);
  return uses.join(', ') || 'nothing';
}
