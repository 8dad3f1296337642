import { AppError } from '../../errors.ts';
import { CommandRefused, type ImapConnection } from './connection.ts';
import type { ListingWatch } from './listing-watch.ts';
import { type Mailboxes, openMailboxTree } from './mailbox-tree.ts';
import { listNamespaces } from './namespaces.ts';
import { quoted } from './opened-mailbox.ts';
import { mayPass, passOverRefusal, refusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';

/**
 * Lists the mailboxes of the person (RFC 9051, section 6.3.9), with how many messages they have, and what shows whether something in them changed where
 * the server keeps that (CONDSTORE, RFC 7162). Those of other people and shared ones are left out, where the server says which these are (RFC 2342). Throws `source/too-large`,
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
  const tree = openMailboxTree(namespaces, { watch, hasNumbers: connection.capabilities.has('CONDSTORE') });
  const asked = { signal, onResponse: tree.onResponse, onBytes: watch.onBytes };
  const isExtended = await listExtended(connection, asked);
  if (!isExtended) {
    await connection.run('LIST "" "*"', asked);
    await connection.run('LSUB "" "*"', asked).catch(passOverRefusal);
  }
  for (const [mailbox, facts] of [...tree.closed].slice(0, mostDoubted))
    if (await mayBeMailbox(connection, mailbox.path, signal)) mailbox.facts = facts;
  const isIncomplete = !tree.hasInbox() && (await mayBeMailbox(connection, 'INBOX', signal));
  const mailboxes = tree.end({ isIncomplete });
  if (mailboxes.byPath.size === 0 && !isIncomplete)
    throw new AppError('source/malformed', 'The mail server lists no mailbox, not even an inbox.');
  await askEach(connection, mailboxes, asked);
  return mailboxes;
}

/** Of those that are listed as none, as many are asked about: people have a few levels of names. */
const mostDoubted = 100;

interface Asked {
  readonly signal: AbortSignal;
  readonly onResponse: (response: ImapResponse) => void;
  readonly onBytes: ListingWatch['onBytes'];
}

/** How many messages there are shows a listing that names fewer; the other numbers say nothing without CONDSTORE. */
function statusItems({ capabilities }: Pick<ImapConnection, 'capabilities'>): string {
  return capabilities.has('CONDSTORE') ? 'MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ' : 'MESSAGES';
}

/** Everything in one command, where the server can (RFC 5258, RFC 5819, RFC 6154). */
async function listExtended(connection: ImapConnection, asked: Asked): Promise<boolean> {
  const { capabilities } = connection;
  const can = (name: string) => capabilities.has(name) || capabilities.has('IMAP4REV2');
  if (!can('LIST-EXTENDED')) return false;
  const wanted = ['SUBSCRIBED'];
  if (can('SPECIAL-USE')) wanted.push('SPECIAL-USE');
  if (can('LIST-STATUS')) wanted.push(`STATUS (${statusItems(connection)})`);
  try {
    await connection.run(`LIST "" "*" RETURN (${wanted.join(' ')})`, asked);
    return true;
  } catch (error) {
    passOverRefusal(error);
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
      await connection.run(`STATUS ${quoted(path)} (${statusItems(connection)})`, asked).catch((error: unknown) => {
        if (!(error instanceof CommandRefused)) throw error;
      });
}
