import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type MemoryBudget, partOf, unlimitedMemory } from '../../memory-budget.ts';
import { openPace } from '../http/pace.ts';
import type { ProcessorShare } from '../http/processor-shares.ts';
import type { Servers } from '../http/server.ts';
import type { Access, Listing, Member, Source } from '../source.ts';
import { type ConnectionTimeouts, defaultTimeouts } from './connection.ts';
import { openConnections } from './connections.ts';
import { defaultLimits, type MailListingLimits, watchListing } from './listing-watch.ts';
import { parseMailAddress } from './mail-address.ts';
import { folderPathOf } from './mailbox-name.ts';
import { type MailboxRecord, mailboxOfRecord, recordOf } from './mailbox-record.ts';
import { type Mailbox, type Mailboxes, mailboxAt } from './mailbox-tree.ts';
import { validatorOf, validatorsOf } from './mailbox-validators.ts';
import { listMailboxes } from './mailboxes.ts';
import { openMessageFetches } from './message-fetches.ts';
import { openMessageReadings } from './message-readings.ts';
import { listMessages } from './messages.ts';

export interface ImapOptions {
  /** `imaps://alice@imap.example.org`, claims already filled in (see `urlOfPerson`). */
  readonly url: string;
  readonly access: Access;
  readonly servers: Pick<Servers, 'limits' | 'processor'>;
  /** What the run may take of the processor; as much as any other run unless given. */
  readonly processor?: ProcessorShare;
  readonly clock: Clock;
  readonly log: Log;
  /** The folder at the top of the snapshot. */
  readonly name?: string;
  /** Of one listing; beyond them it is a problem of its mailbox. */
  readonly limits?: Partial<MailListingLimits>;
  /** For all that is listed at once; no limit unless given. */
  readonly memory?: MemoryBudget;
  /** Most bytes of one message; beyond them it is a problem of that message. */
  readonly fileBytes?: number;
  readonly timeouts?: Partial<ConnectionTimeouts>;
  /** From 0 to 1; spreads retries. */
  readonly random?: () => number;
}

const defaultFileBytes = 1024 ** 4;

/** Messages that are of use at once for each connection, since they are fetched together. */
const messagesOfConnection = 32;
/** How often all mailboxes are listed again because something in one of them was not found. */
const mostRelistings = 16;

/**
 * A person's mail on an IMAP server (RFC 9051, and RFC 3501 before it), with their access token (RFC 7628): each mailbox is a collection, each message
 * an entry, byte for byte, and `mailbox.json` what else there is to know of a mailbox. All is only read: no message counts as seen by it. Names and
 * validators rest on the numbers that a mailbox gives its messages: what has a number never changes. Throws `config/invalid` for a URL that cannot be
 * used; all other errors come from `roots`, `list` and `open`.
 */
export function imapSource(options: ImapOptions): Source {
  const {
    url,
    access,
    servers,
    clock,
    log,
    name = 'mail',
    random = Math.random,
    fileBytes = defaultFileBytes,
  } = options;
  const server = parseMailAddress(url);
  const limits = { ...defaultLimits, ...options.limits };
  const memory = partOf(options.memory ?? unlimitedMemory, Number.POSITIVE_INFINITY);
  const processor = options.processor ?? servers.processor.open();
  const traffic = { requests: 0, bytes: 0 };
  const onCommand = () => {
    traffic.requests++;
  };
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const connections = openConnections({ server, access, timeouts, clock, log, random, onCommand });
  const pace = () => openPace(clock, servers.limits.leastBytesPerSecond);
  const onBytes = (count: number) => {
    traffic.bytes += count;
  };
  const fetches = openMessageFetches({ connections, pace, processor });
  const readings = openMessageReadings({ fetches, mostBytes: fileBytes, onBytes });
  const records = new Map<string, MailboxRecord>();
  const listed = new Set<string>();
  let relistings = 0;
  let mailboxes: Promise<Tree> | undefined;
  let treeMemory: Disposable | undefined;
  const watch = (signal: AbortSignal) => watchListing({ limits, clock, memory, processor }, signal);

  async function loadTree(signal: AbortSignal): Promise<Tree> {
    const watched = watch(signal);
    try {
      const found = await connections.use((connection) => listMailboxes(connection, watched, signal), { signal });
      treeMemory?.[Symbol.dispose]();
      treeMemory = watched;
      return { ...found, validators: await validatorsOf(found) };
    } catch (error) {
      watched[Symbol.dispose]();
      throw error;
    }
  }

  function reload(signal: AbortSignal): Promise<Tree> {
    const loading = loadTree(signal);
    loading.catch(() => {
      if (mailboxes === loading) mailboxes = undefined;
    });
    mailboxes = loading;
    return loading;
  }

  async function listTop(signal: AbortSignal): Promise<Listing> {
    const tree = await reload(signal);
    const { problems, isIncomplete } = tree;
    return { members: foldersIn(tree.top, tree), problems, ...(isIncomplete && { isIncomplete }) };
  }

  /** A mailbox that is asked for again is looked for again: something in it was not found. */
  async function listMailbox(path: string, signal: AbortSignal): Promise<Listing> {
    const isAgain = listed.has(path) && relistings < mostRelistings;
    if (isAgain) relistings++;
    listed.add(path);
    const tree = await (isAgain ? reload(signal) : (mailboxes ?? reload(signal)));
    const mailbox = mailboxAt(tree, path);
    const folders = foldersIn(mailbox, tree);
    if (mailbox.facts === undefined) {
      const validator = tree.validators.get(path);
      return {
        members: folders,
        problems: [],
        ...(tree.isIncomplete && { isIncomplete: true }),
        ...(validator !== undefined && { validator }),
      };
    }
    using watched = watch(signal);
    const asked = { path, expected: mailbox.status?.messages };
    const found = await connections.use((connection) => listMessages(connection, asked, watched, signal), {
      path,
      signal,
    });
    const record = await recordOf(mailbox.facts, found);
    hold(path, record);
    const validator = validatorOf(mailbox, found.opened, tree.validators);
    const { lacking } = found;
    return {
      members: [...folders, ...found.messages.map(({ member }) => member), record.member],
      problems:
        lacking === undefined
          ? []
          : [{ path: folderPathOf(path, mailbox.facts), code: 'source/malformed', message: lacking }],
      ...((lacking !== undefined || tree.isIncomplete) && { isIncomplete: true }),
      ...(validator !== undefined && { validator }),
    };
  }

  function hold(path: string, record: MailboxRecord): void {
    memory.give(records.get(path)?.memory ?? 0);
    records.delete(path);
    if (!memory.take(record.memory))
      throw new AppError('source/too-large', 'No memory is left for the flags of this mailbox (LISTINGS_MEMORY).', {
        retry: { afterMs: 0 },
      });
    records.set(path, record);
  }

  return {
    name,
    address: url,
    isOfMailboxes: true,
    roots: async (signal) => {
      await connections.use(async () => {}, { signal });
      return [{ name, address: url, collection: { kind: 'collection', name, location: '' } }];
    },
    list: ({ location }, signal) => (location === '' ? listTop(signal) : listMailbox(location, signal)),
    open: async (entry, signal) => {
      signal.throwIfAborted();
      const path = mailboxOfRecord(entry.location);
      if (path === undefined) return readings.open(entry, signal);
      const record = records.get(path);
      if (record === undefined) throw new AppError('source/not-found', 'The mailbox was not listed.');
      return record.open();
    },
    openRest: async (entry, from, signal) =>
      mailboxOfRecord(entry.location) === undefined ? readings.openRest(entry, from, signal) : undefined,
    get atOnce() {
      return connections.most * messagesOfConnection;
    },
    traffic,
    async [Symbol.asyncDispose]() {
      connections.close();
      memory[Symbol.dispose]();
      if (options.processor === undefined) processor[Symbol.dispose]();
    },
  };
}

/** The mailboxes with their validators. */
type Tree = Mailboxes & { readonly validators: ReadonlyMap<string, string> };

function foldersIn({ below }: Mailbox, { validators }: Tree): Member[] {
  return below.map(({ path, name }) => {
    const validator = validators.get(path);
    return { kind: 'collection', name, location: path, ...(validator !== undefined && { validator }) };
  });
}
