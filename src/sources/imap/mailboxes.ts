import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { escapedName } from '../../file-name.ts';
import { memoryOfMember } from '../../memory-budget.ts';
import { piecesOf } from '../../pieces.ts';
import type { ListingProblem } from '../source.ts';
import { CommandRefused, type ImapConnection, type OpenedMailbox } from './connection.ts';
import type { ListingWatch } from './listing-watch.ts';
import { decodeMailboxName, folderNameOf } from './mailbox-name.ts';
import { quoted } from './opened-mailbox.ts';
import { mayPass, refusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';
import { numberOf, readValues, textOf, wordsOf } from './values.ts';

/** A mailbox, or a level of their names that is none itself; each is a folder with those below it. */
export interface Mailbox {
  /** As the server calls it; empty for the top. */
  readonly path: string;
  /** Of its folder. */
  readonly name: string;
  /** Of a mailbox that can be opened: its facts besides its messages. */
  facts: MailboxFacts | undefined;
  status: MailboxStatus | undefined;
  readonly below: Mailbox[];
}

export interface MailboxFacts {
  /** As its person knows it, its levels parted by the delimiter. */
  readonly name: string;
  readonly delimiter: string;
  /** Such as `\Sent` (RFC 6154). */
  readonly specialUse: readonly string[];
  readonly isSubscribed: boolean;
}

type MailboxStatus = Omit<OpenedMailbox, 'path'>;

/** What a person has at a mail server, as one LIST says it. */
export interface Mailboxes {
  readonly top: Mailbox;
  readonly byPath: ReadonlyMap<string, Mailbox>;
  readonly problems: readonly ListingProblem[];
  /** There may be more: not even the inbox is listed. */
  readonly isIncomplete: boolean;
}

/** No server takes longer names, and no backup goes deeper. */
const longestPath = 4_096;
const mostLevels = 200;
/** Each name that is listed is compared with all of them. */
const mostNamespaces = 100;
/** There are eight of them. */
const specialUses = /^\\(All|Archive|Drafts|Flagged|Important|Junk|Sent|Trash)$/i;

/**
 * Lists the mailboxes of the person (RFC 9051, section 6.3.9), with what shows whether something in them changed where the server keeps that (CONDSTORE,
 * RFC 7162). Those of other people and shared ones are left out, where the server says which these are (RFC 2342). Throws `source/too-large`,
 * `source/malformed` where there is none at all, and what commands throw.
 */
export async function listMailboxes(
  connection: ImapConnection,
  watch: ListingWatch,
  signal: AbortSignal,
): Promise<Mailboxes> {
  try {
    return await listWhole(connection, watch, signal);
  } catch (error) {
    throw error instanceof CommandRefused && !mayPass(error) ? refusal(error, 'source/forbidden') : error;
  }
}

async function listWhole(connection: ImapConnection, watch: ListingWatch, signal: AbortSignal): Promise<Mailboxes> {
  const namespaces = await listNamespaces(connection, signal);
  const listing = openListing(namespaces, watch);
  const asked = { signal, onResponse: listing.onResponse, onBytes: watch.onBytes };
  const isExtended = await listExtended(connection, asked);
  if (!isExtended) {
    await connection.run('LIST "" "*"', asked);
    await connection.run('LSUB "" "*"', asked).catch(passOver);
  }
  for (const [mailbox, facts] of [...listing.closed].slice(0, mostDoubted))
    if (await mayBeMailbox(connection, mailbox.path, signal)) mailbox.facts = facts;
  const isIncomplete = !listing.hasInbox() && (await mayBeMailbox(connection, 'INBOX', signal));
  const mailboxes = listing.end({ isIncomplete });
  if (mailboxes.byPath.size === 0 && !isIncomplete)
    throw new AppError('source/malformed', 'The mail server lists no mailbox, not even an inbox.');
  if (connection.capabilities.has('CONDSTORE')) await askEach(connection, mailboxes, asked);
  return mailboxes;
}

/** Of those that are listed as none, as many are asked about: people have a few levels of names. */
const mostDoubted = 100;

interface Asked {
  readonly signal: AbortSignal;
  readonly onResponse: (response: ImapResponse) => void;
  readonly onBytes: ListingWatch['onBytes'];
}

const statusItems = 'MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ';

/** Everything in one command, where the server can (RFC 5258, RFC 5819, RFC 6154). */
async function listExtended(connection: ImapConnection, asked: Asked): Promise<boolean> {
  const { capabilities } = connection;
  const can = (name: string) => capabilities.has(name) || capabilities.has('IMAP4REV2');
  if (!can('LIST-EXTENDED')) return false;
  const wanted = ['SUBSCRIBED'];
  if (can('SPECIAL-USE')) wanted.push('SPECIAL-USE');
  if (can('LIST-STATUS') && capabilities.has('CONDSTORE')) wanted.push(`STATUS (${statusItems})`);
  try {
    await connection.run(`LIST "" "*" RETURN (${wanted.join(' ')})`, asked);
    return true;
  } catch (error) {
    passOver(error);
    return false;
  }
}

/**
 * Whether the server knows a mailbox that it does not list, or not as one that can be opened. Everybody has an inbox, if the server has them at all, and a
 * list of all names it (RFC 9051, sections 5.1 and 6.3.9).
 */
async function mayBeMailbox(connection: ImapConnection, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await connection.run(`STATUS ${quoted(path)} (MESSAGES)`, { signal });
    return true;
  } catch (error) {
    if (error instanceof CommandRefused) return mayPass(error);
    throw error;
  }
}

/** One after the other, for servers that do not tell it with the list. One that fails now is found out where it is opened. */
async function askEach(connection: ImapConnection, { byPath }: Mailboxes, asked: Asked): Promise<void> {
  for (const { path, facts, status } of byPath.values())
    if (facts !== undefined && status === undefined)
      await connection.run(`STATUS ${quoted(path)} (${statusItems})`, asked).catch((error: unknown) => {
        if (!(error instanceof CommandRefused)) throw error;
      });
}

/** What a server refuses is not known then. */
function passOver(error: unknown): void {
  if (!(error instanceof CommandRefused) || mayPass(error)) throw error;
}

/** Names that begin so are the person's own, or belong to other people, or to all of them. */
export interface Namespace {
  readonly prefix: string;
  /** Empty where names have no levels. */
  readonly delimiter: string;
  readonly isOwn: boolean;
}

/** As the server says them (RFC 2342); none where it does not. */
export async function listNamespaces(connection: ImapConnection, signal: AbortSignal): Promise<Namespace[]> {
  const namespaces: Namespace[] = [];
  const onResponse = (response: ImapResponse) => {
    const from = /^\* NAMESPACE /i.exec(response.text)?.[0].length;
    if (from === undefined) return;
    const values = readValues(response, from);
    for (const isOwn of [true, false, false]) {
      const group = values.next();
      for (const one of Array.isArray(group) ? group : [])
        for (const prefix of wordsOf(one).slice(0, 1)) {
          const delimiter = Array.isArray(one) ? (textOf(one[1]) ?? '') : '';
          namespaces.push({ prefix, delimiter, isOwn });
          if (namespaces.length > mostNamespaces)
            throw new AppError('source/malformed', 'The mail server names more namespaces than any server has.');
        }
    }
  };
  if (connection.capabilities.has('NAMESPACE'))
    await connection.run('NAMESPACE', { signal, onResponse }).catch(passOver);
  return namespaces;
}

/** By the longest beginning; the inbox is everybody's own. */
function isForeign(path: string, delimiter: string, namespaces: readonly Namespace[]): boolean {
  if (/^inbox$/i.test(path)) return false;
  let found: Namespace | undefined;
  for (const one of namespaces) {
    const begins = path.startsWith(one.prefix) || path + delimiter === one.prefix;
    if (begins && (found === undefined || one.prefix.length > found.prefix.length)) found = one;
  }
  return found?.isOwn === false;
}

/** Makes a tree of what is listed, as it comes. */
function openListing(namespaces: readonly Namespace[], watch: ListingWatch) {
  const top: Mailbox = { path: '', name: '', facts: undefined, status: undefined, below: [] };
  const byPath = new Map<string, Mailbox>();
  const problems: ListingProblem[] = [];
  const subscribed = new Set<string>();
  /** What is listed as none that can be opened, and the facts of it if it is one all the same. */
  const closed = new Map<Mailbox, MailboxFacts>();
  let inbox: Mailbox | undefined;

  function folderAt(path: string, name: string, parent: Mailbox): Mailbox {
    const known = byPath.get(path);
    if (known !== undefined) return known;
    watch.member(memoryOfMember(path));
    const mailbox = { path, name: folderNameOf(name), facts: undefined, status: undefined, below: [] };
    byPath.set(path, mailbox);
    if (/^inbox$/i.test(path)) inbox ??= mailbox;
    parent.below.push(mailbox);
    return mailbox;
  }

  /** With all that it is in, which the server need not list. */
  function place(path: string, levels: readonly string[], delimiter: string): Mailbox {
    let mailbox = top;
    let length = 0;
    for (const [at, level] of levels.entries()) {
      length += level.length;
      mailbox = folderAt(at === levels.length - 1 ? path : path.slice(0, length), level, mailbox);
      length += delimiter.length;
    }
    return mailbox;
  }

  function onList(response: ImapResponse, from: number, isOfSubscriptions: boolean): void {
    const values = readValues(response, from);
    const attributes = wordsOf(values.next());
    const delimiter = textOf(values.next()) ?? '';
    const path = withoutEnd(textOf(values.next()) ?? '', delimiter);
    if (path === '' || isForeign(path, delimiter, namespaces)) return;
    if (isOfSubscriptions) {
      if (byPath.has(path)) subscribed.add(path);
      return;
    }
    const levels = delimiter === '' ? [path] : path.split(delimiter);
    if (path.length > longestPath || levels.length > mostLevels || /[\r\n\0]/.test(path)) {
      const shown = escapedName(decodeMailboxName(path.slice(0, 200)));
      problems.push({
        path: shown,
        code: 'source/malformed',
        message: 'The mail server lists a mailbox of a name that no mailbox can have.',
      });
      watch.member(memoryOfMember(shown));
      return;
    }
    const mailbox = place(path, levels, delimiter);
    if (has(attributes, '\\Subscribed')) subscribed.add(path);
    const name = levels.map(decodeMailboxName).join(delimiter);
    const facts = {
      name,
      delimiter,
      specialUse: attributes
        .filter((word) => specialUses.test(word))
        .slice(0, 8)
        .sort(),
      isSubscribed: false,
    };
    if (has(attributes, '\\Noselect') || has(attributes, '\\NonExistent')) closed.set(mailbox, facts);
    else mailbox.facts = facts;
  }

  function onStatus(response: ImapResponse, from: number): void {
    const values = readValues(response, from);
    const path = textOf(values.next()) ?? '';
    const mailbox = byPath.get(path) ?? (/^inbox$/i.test(path) ? inbox : undefined);
    const words = wordsOf(values.next());
    const said = (name: string) => {
      const at = words.findIndex((word) => word.toUpperCase() === name);
      return at === -1 ? undefined : /^\d{1,20}$/.exec(words[at + 1] ?? '')?.[0];
    };
    if (mailbox === undefined) return;
    mailbox.status = {
      uidValidity: said('UIDVALIDITY'),
      uidNext: said('UIDNEXT'),
      highestModSeq: said('HIGHESTMODSEQ'),
      messages: numberOf(said('MESSAGES')) ?? 0,
    };
  }

  return {
    closed,
    onResponse(response: ImapResponse): void {
      const [all = '', kind = ''] = /^\* (LIST|LSUB|STATUS) /i.exec(response.text) ?? [];
      if (/^status$/i.test(kind)) onStatus(response, all.length);
      else if (kind !== '') onList(response, all.length, /^lsub$/i.test(kind));
    },
    hasInbox: () => inbox?.facts !== undefined,
    end({ isIncomplete }: Pick<Mailboxes, 'isIncomplete'>): Mailboxes {
      if (isIncomplete)
        problems.push({
          path: 'INBOX',
          name: 'INBOX',
          code: 'source/malformed',
          message: 'The mail server does not list the inbox, which is there.',
        });
      for (const mailbox of byPath.values())
        if (mailbox.facts !== undefined && subscribed.has(mailbox.path))
          mailbox.facts = { ...mailbox.facts, isSubscribed: true };
      return { top, byPath, problems, isIncomplete };
    },
  };
}

/** Some servers write a delimiter behind what only holds others. */
function withoutEnd(path: string, delimiter: string): string {
  return delimiter !== '' && path.endsWith(delimiter) ? path.slice(0, -delimiter.length) : path;
}

function has(attributes: readonly string[], wanted: string): boolean {
  return attributes.some((attribute) => attribute.toLowerCase() === wanted.toLowerCase());
}

/**
 * What stays the same as long as nothing in these mailboxes and below them changes, by path; those of which the server does not say that are
 * left out.
 */
export async function validatorsOf({ byPath }: Mailboxes): Promise<ReadonlyMap<string, string>> {
  const validators = new Map<string, string>();
  // What is in others was placed after them.
  for await (const piece of piecesOf([...byPath.values()].toReversed()))
    for (const mailbox of piece) {
      const validator = validatorOf(mailbox, mailbox.status, validators);
      if (validator !== undefined) validators.set(mailbox.path, validator);
    }
  return validators;
}

/** The same of one mailbox as it stands now, with what is below it as it was listed. */
export function validatorOf(
  { facts, below }: Mailbox,
  status: MailboxStatus | undefined,
  validators: ReadonlyMap<string, string>,
): string | undefined {
  const own = facts === undefined ? 'none' : ownValidator(facts, status);
  if (own === undefined || below.length === 0) return facts === undefined ? undefined : own;
  const hash = createHash('sha256').update(own);
  for (const { path, name } of below) {
    const validator = validators.get(path);
    if (validator === undefined) return undefined;
    hash.update(`\n${name}\n${validator}`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** New messages, flags and deletions each change one of these numbers; without them all nothing can be relied on. */
function ownValidator(facts: MailboxFacts, status: MailboxStatus | undefined): string | undefined {
  const { uidValidity, uidNext, highestModSeq, messages } = status ?? {};
  const isKept = [uidValidity, uidNext, highestModSeq].every((number) => number !== undefined && number !== '0');
  if (!isKept) return undefined;
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 8);
  return `${uidValidity} ${uidNext} ${highestModSeq} ${messages} ${digest}`;
}

/** Throws `source/not-found` for a mailbox that is not there. */
export function mailboxAt({ byPath }: Mailboxes, path: string): Mailbox {
  const mailbox = byPath.get(path);
  if (mailbox === undefined)
    throw new AppError('source/not-found', 'The mail server does not list this mailbox any more.');
  return mailbox;
}
