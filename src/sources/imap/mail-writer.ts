import type { Clock } from '../../clock.ts';
import { shownName } from '../../file-name.ts';
import type { Log } from '../../log.ts';
import { openPace } from '../http/pace.ts';
import type { Servers } from '../http/server.ts';
import type { Access } from '../source.ts';
import { CommandRefused, type ConnectionTimeouts, defaultTimeouts, type ImapConnection } from './connection.ts';
import { openConnections } from './connections.ts';
import { defaultLimits, type MailListingLimits } from './listing-watch.ts';
import { parseMailAddress } from './mail-address.ts';
import { encodeMailboxName } from './mailbox-name.ts';
import { type MailboxWriting, openMailboxWriting } from './mailbox-writing.ts';
import { openMessageFetches } from './message-fetches.ts';
import { listNamespaces } from './namespaces.ts';
import { quoted, select } from './opened-mailbox.ts';
import { mayPass, writeRefusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';
import { openThereAlready } from './there-already.ts';
import { numberOf, readValues, textOf, wordsOf } from './values.ts';

export interface MailWriterOptions {
  /** As `ImapOptions` has it. */
  readonly url: string;
  readonly access: Access;
  readonly servers: Pick<Servers, 'limits' | 'processor'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<MailListingLimits>;
  readonly timeouts?: Partial<ConnectionTimeouts>;
  /** From 0 to 1; spreads retries. */
  readonly random?: () => number;
}

/** Writes mailboxes and messages of a person to an IMAP server (RFC 9051, and RFC 3501 before it). */
export interface MailWriter extends AsyncDisposable {
  /**
   * Makes a mailbox among those of the person, and those that it is in where the server wants that; false where there is one of that name. The names of its
   * levels are those that people know. Throws `source/forbidden`, `source/malformed`, `source/full`, `source/unavailable` and `source/unauthorized`.
   */
  makeMailbox(levels: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** Opens a mailbox that was made here, now or before, and to which nobody else writes. The same errors, and `source/not-found`. */
  openMailbox(levels: readonly string[], signal: AbortSignal): Promise<MailboxWriting>;
}

/** Opens a writer; it connects when something is to be done. Throws `config/invalid`. */
export function mailWriter(options: MailWriterOptions): MailWriter {
  const { url, access, servers, clock, log, random = Math.random } = options;
  const server = parseMailAddress(url);
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const limits = { ...defaultLimits, ...options.limits };
  const connections = openConnections({ server, access, timeouts, clock, log, random, onCommand: () => {} });
  const processor = servers.processor.open();
  const pace = () => openPace(clock, servers.limits.leastBytesPerSecond);
  const fetches = openMessageFetches({ connections, pace, processor });
  let naming: Promise<Naming> | undefined;

  /** What is found out of the first name decides for those below it. */
  function pathOf(levels: readonly string[], signal: AbortSignal): Promise<string> {
    naming ??= connections.use((connection) => findNaming(connection, signal), { signal });
    naming.catch(() => {
      naming = undefined;
    });
    return naming.then((found) => spell(levels, found));
  }

  async function knowIfFlat(top: string, signal: AbortSignal): Promise<void> {
    const found = await naming;
    const listed = await connections.use((connection) => findMailbox(connection, top, signal), { path: top, signal });
    if (found !== undefined && listed?.some((one) => /^\\noinferiors$/i.test(one))) found.isFlat = true;
  }

  return {
    async makeMailbox(levels, signal) {
      const path = await pathOf(levels, signal);
      const making = { path, wasAbsent: false };
      const isMade = await connections.use((connection) => create(connection, making, signal), { path, signal });
      if (levels.length === 1) await knowIfFlat(path, signal);
      return isMade;
    },
    async openMailbox(levels, signal) {
      if (levels.length > 1) await knowIfFlat(await pathOf(levels.slice(0, 1), signal), signal);
      const path = await pathOf(levels, signal);
      const [{ messages, permanentFlags }, mostBytes] = await connections.use(
        async (connection) =>
          [await select(connection, path, signal), await findAppendLimit(connection, path, signal)] as const,
        { path, signal },
      );
      const there = openThereAlready({ path, connections, fetches, limits, clock, processor });
      const isNew = messages === 0;
      return openMailboxWriting({ path, connections, there, isNew, permanentFlags, mostBytes, clock, random });
    },
    async [Symbol.asyncDispose]() {
      connections.close();
      processor[Symbol.dispose]();
    },
  };
}

/** How the server spells names of mailboxes that belong to the person. */
interface Naming {
  readonly prefix: string;
  /** Empty where names have no levels. */
  readonly delimiter: string;
  /** There can be none below the first: where one is a file that holds messages, or names have no levels. */
  isFlat: boolean;
}

async function findNaming(connection: ImapConnection, signal: AbortSignal): Promise<Naming> {
  const own = (await listNamespaces(connection, signal)).find(({ isOwn }) => isOwn);
  const prefix = own?.prefix ?? '';
  let delimiter = own?.delimiter;
  const onResponse = (response: ImapResponse) => {
    const values = readList(response);
    if (values !== undefined) delimiter ??= values.delimiter;
  };
  if (delimiter === undefined) await connection.run('LIST "" ""', { signal, onResponse });
  return { prefix, delimiter: delimiter ?? '', isFlat: !delimiter };
}

function spell(levels: readonly string[], { prefix, delimiter, isFlat }: Naming): string {
  const names = levels.map((level) => {
    const name = shownName(delimiter === '' ? level : level.replaceAll(delimiter, '_'));
    return encodeMailboxName(name || '_');
  });
  return prefix + names.join(isFlat ? ' - ' : delimiter);
}

/** A mailbox that is to be made, whatever is lost on the way. */
interface Making {
  readonly path: string;
  /** It was not there before it was asked for: if it is, it was made here. */
  wasAbsent: boolean;
}

/** False where there is one of that name. Programs for mail may show only what is subscribed, so that it is (RFC 9051, section 6.3.7). */
async function create(connection: ImapConnection, making: Making, signal: AbortSignal): Promise<boolean> {
  const { path } = making;
  const isThere = (await findMailbox(connection, path, signal)) !== undefined;
  if (isThere && !making.wasAbsent) return false;
  making.wasAbsent = true;
  try {
    if (!isThere) await connection.run(`CREATE ${quoted(path)}`, { signal });
  } catch (error) {
    if (mayPass(error) || !(error instanceof CommandRefused)) throw error;
    if (error.code === 'ALREADYEXISTS') return false;
    throw writeRefusal(error);
  }
  await connection.run(`SUBSCRIBE ${quoted(path)}`, { signal }).catch(passOverRefused);
  return true;
}

function passOverRefused(error: unknown): void {
  if (!(error instanceof CommandRefused)) throw error;
}

/** The attributes of a mailbox; undefined where there is none. */
async function findMailbox(
  connection: ImapConnection,
  path: string,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  let found: readonly string[] | undefined;
  const onResponse = (response: ImapResponse) => {
    const values = readList(response);
    if (values?.path === path) found = values.attributes;
  };
  await connection.run(`LIST "" ${quoted(path)}`, { signal, onResponse });
  return found;
}

function readList(response: ImapResponse) {
  const from = /^\* LIST /i.exec(response.text)?.[0].length;
  if (from === undefined) return undefined;
  const values = readValues(response, from);
  const attributes = wordsOf(values.next());
  return { attributes, delimiter: textOf(values.next()) ?? '', path: textOf(values.next()) ?? '' };
}

/** How long a message of this mailbox may be, where the server says that (RFC 7889). */
async function findAppendLimit(
  connection: ImapConnection,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { capabilities } = connection;
  const ofAll = [...capabilities].find((one) => /^APPENDLIMIT=\d{1,15}$/.test(one));
  if (ofAll !== undefined) return Number(ofAll.slice('APPENDLIMIT='.length));
  if (!capabilities.has('APPENDLIMIT')) return undefined;
  let limit: number | undefined;
  const onResponse = (response: ImapResponse) => {
    const from = /^\* STATUS /i.exec(response.text)?.[0].length;
    if (from === undefined) return;
    const values = readValues(response, from);
    values.next();
    const words = values.next();
    if (Array.isArray(words))
      limit = numberOf(words[words.findIndex((one) => /^appendlimit$/i.test(textOf(one) ?? '')) + 1]);
  };
  await connection.run(`STATUS ${quoted(path)} (APPENDLIMIT)`, { signal, onResponse }).catch(passOverRefused);
  return limit;
}
