import { bytesWords, countWords } from '../count-words.ts';
import {
  eachRepositoryPlace,
  listRepositoryPlacesOf,
  type RepositoryPlace,
} from '../database/repositories/repository-moves.ts';
import { parseStoreAddress, type StoreAddress, storeUrl } from '../domain/store-address.ts';
import { AppError } from '../errors.ts';
import { requireWholeRows } from '../flows/keys/require-whole-rows.ts';
import { type GivenUp, giveUpLost } from '../flows/store/give-up-lost.ts';
import { deleteFormerCopy, moveRepository, storeOf } from '../flows/store/move-repository.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { commandActor } from './actor.ts';
import { askYes } from './ask.ts';
import { type Command, json, type Options, printPages, text } from './command.ts';
import { closeWith, doForEach, eachExits, printAnswers } from './each-person.ts';
import { openInterrupt } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf, oneOrAll, refuseUnlessOneOrAll } from './people.ts';
import type { Column } from './table.ts';

/** Lists where each repository is. */
export const storeCommand: Command = {
  usage: '[--json]',
  summary: 'list where each repository is',
  options: json,
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    await printPages(output, options, { pages: rowsOf(resources), columns, none: 'There is no repository.' });
    return 0;
  },
};

async function* rowsOf(resources: RepositoryResources) {
  for await (const places of eachRepositoryPlace(resources.database))
    yield places.map((place) => ({
      user: nameOf(place),
      store: storeOf(resources, place),
      folder: place.location,
      movingTo: place.movingTo,
      oldCopy: place.formerStore,
    }));
}

const columns: readonly Column<{
  user: string;
  store: string;
  folder: string;
  movingTo: string | null;
  oldCopy: string | null;
}>[] = [
  { name: 'USER', of: ({ user }) => user },
  { name: 'STORE', of: ({ store }) => store, stretches: true },
  { name: 'FOLDER', of: ({ folder }) => folder },
  { name: 'BEING MOVED TO', of: ({ movingTo }) => movingTo ?? '' },
  { name: 'OLD COPY AT', of: ({ oldCopy }) => oldCopy ?? '' },
];

/** Moves repositories to another store, and deletes what was left in the former one. */
export const storeMove: Command = {
  usage: '--user NAME | --all [--to URL] [--delete-old] [--read-data] [--json]',
  summary: 'move repositories to another store',
  options: {
    ...oneOrAll,
    to: { value: 'URL', help: 'written like STORE_URL; an interrupted move is continued' },
    'delete-old': { help: 'delete the copy that a move left in the former store' },
    'read-data': { help: 'read every pack of the copy before switching to it' },
    ...json,
  },
  exits: eachExits,
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    const wish = wishOf(options);
    await using resources = await openRepositoriesFromEnvironment();
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const answers = await doForEach(options, placesOf(resources, options), {
      nameOf,
      work: async (place) => {
        await requireWholeRows(resources, place.userId);
        return { user: nameOf(place), ...(await doOne(resources, place, { ...wish, signal })) };
      },
      whenStopped: 'No repository is lost: nightkeep store lists where each is, and the same command goes on.',
    });
    printAnswers(output, options, { answers, linesOf: (row) => linesOf(row, wish) });
    const code = closeWith(answers);
    return code;
  },
};

/** Gives up repositories that are lost with the store. */
export const storeLost: Command = {
  usage: '--user NAME | --all [--dry-run] [--yes] [--json]',
  summary: 'give up repositories that are lost for good, so that nights begin new ones',
  options: {
    ...oneOrAll,
    'dry-run': { help: 'list those of which the store holds nothing, and change nothing' },
    yes: { help: 'do not ask: they are lost, not just unavailable' },
    ...json,
  },
  exits: eachExits,
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    const dryRun = options['dry-run'] === true;
    await using resources = await openRepositoriesFromEnvironment();
    const question = `Is the store mounted, and are the repositories that it holds nothing of lost for good? (yes/no) `;
    if (!dryRun && options.yes !== true && !(await askYes(question, 'Confirm with --yes.'))) return 1;
    const answers = await doForEach(options, placesOf(resources, options), {
      nameOf,
      work: async (place) => {
        await requireWholeRows(resources, place.userId);
        return { user: nameOf(place), is: await giveUpLost(resources, place, { dryRun, by: commandActor() }) };
      },
    });
    const linesOf = ({ user, is }: { user: string; is: GivenUp }) => [`${user}: ${lostWords(is, { dryRun })}`];
    printAnswers(output, options, { answers, linesOf });
    const code = closeWith(answers);
    return code;
  },
};

function lostWords(is: GivenUp, { dryRun }: { dryRun: boolean }): string {
  switch (is) {
    case 'lost':
      return dryRun ? 'the store holds nothing of it: would be given up' : 'given up; the next backup begins a new one';
    case 'an old copy is there':
      return 'not given up: there is a copy in a store where it was, or was being moved to; bring that one back';
    case 'is there':
      return 'not given up: the store holds files of it';
    case 'not made yet':
      return 'nothing to give up: no backup has made it yet';
  }
}

async function* placesOf(resources: RepositoryResources, options: Options): AsyncGenerator<RepositoryPlace> {
  if (options.all === true) for await (const places of eachRepositoryPlace(resources.database)) yield* places;
  else {
    const { id } = await getUserByName(resources, givenName(options), 'acting');
    yield* await listRepositoryPlacesOf(resources.database, id);
  }
}

interface Wish {
  readonly to: StoreAddress | undefined;
  readonly deleteOld: boolean;
  readonly readData: 'all' | 'none';
}

function wishOf(options: Options): Wish {
  const url = text(options, 'to');
  const deleteOld = options['delete-old'] === true;
  if (url === undefined && !deleteOld)
    throw new AppError('usage/invalid', 'Say where to with --to URL, or --delete-old, or both.');
  return {
    to: url === undefined ? undefined : addressOf(url),
    deleteOld,
    readData: options['read-data'] === true ? 'all' : 'none',
  };
}

function addressOf(url: string): StoreAddress {
  try {
    return parseStoreAddress(url);
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('usage/invalid', `--to ${error.message}.`);
    throw error;
  }
}

interface Row {
  readonly user: string;
  /** Where it was to be moved to before, where that was given up. */
  readonly gaveUp?: string;
  /** Files of the repository, their bytes, and how many had to be copied; absent where it was not moved. */
  readonly moved?: { files: number; bytes: number; copied: number } | undefined;
  readonly deletedOld: boolean;
}

async function doOne(
  resources: Parameters<typeof moveRepository>[0],
  place: RepositoryPlace,
  { to, deleteOld, readData, signal }: Wish & { signal: AbortSignal },
): Promise<Omit<Row, 'user'>> {
  const by = commandActor();
  const moved = to === undefined ? null : await moveRepository(resources, place, { to, readData, by, signal });
  const deletedOld = deleteOld && (await deleteFormerCopy(resources, place, { by, signal }));
  const gaveUp =
    moved === null && to !== undefined && storeOf(resources, place) === storeUrl(to) ? place.movingTo : null;
  return { ...(moved !== null && { moved }), ...(gaveUp !== null && { gaveUp }), deletedOld };
}

function linesOf({ user, moved, gaveUp, deletedOld }: Row, { to, deleteOld }: Wish): string[] {
  const came =
    moved && `moved (${countWords(moved.files, 'file')}, ${bytesWords(moved.bytes)}; ${moved.copied} copied now)`;
  const parts = [
    ...(to === undefined
      ? []
      : [
          came ??
            (gaveUp === undefined
              ? 'not moved: it is there already, or has no files yet'
              : `it stays there; the move to ${gaveUp} is given up`),
        ]),
    ...(deleteOld ? [deletedOld ? 'old copy deleted' : 'there is no old copy'] : []),
  ];
  return [`${user}: ${parts.join(', ')}`];
}
