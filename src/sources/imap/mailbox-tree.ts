import { AppError } from '../../errors.ts';
import { escapedName } from '../../file-name.ts';
import { memoryOfMember } from '../../memory-budget.ts';
import type { ListingProblem } from '../source.ts';
import type { OpenedMailbox } from './connection.ts';
import type { ListingWatch } from './listing-watch.ts';
import { decodeMailboxName, folderNameOf } from './mailbox-name.ts';
import { isForeign, type Namespace } from './namespaces.ts';
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

export type MailboxStatus = Omit<OpenedMailbox, 'path'>;

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
/** There are eight of them. */
const specialUses = /^\\(All|Archive|Drafts|Flagged|Important|Junk|Sent|Trash)$/i;

/** Makes a tree of what is listed, as it comes; `hasNumbers`: the server keeps what shows changes (CONDSTORE). */
export function openMailboxTree(
  namespaces: readonly Namespace[],
  { watch, hasNumbers }: { watch: ListingWatch; hasNumbers: boolean },
) {
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

  function onList(response: ImapResponse, from: number, kind: 'list' | 'lsub'): void {
    const values = readValues(response, from);
    const attributes = wordsOf(values.next());
    const delimiter = textOf(values.next()) ?? '';
    const path = withoutEnd(textOf(values.next()) ?? '', delimiter);
    if (path === '' || isForeign(path, delimiter, namespaces)) return;
    if (kind === 'lsub') {
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
      if (name !== 'MESSAGES' && !hasNumbers) return undefined;
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
      else if (kind !== '') onList(response, all.length, /^lsub$/i.test(kind) ? 'lsub' : 'list');
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

/** Throws `source/not-found` for a mailbox that is not there. */
export function mailboxAt({ byPath }: Mailboxes, path: string): Mailbox {
  const mailbox = byPath.get(path);
  if (mailbox === undefined)
    throw new AppError('source/not-found', 'The mail server does not list this mailbox any more.');
  return mailbox;
}
