import type { Socket } from 'node:net';
import { openCommandReader } from './command-reader.ts';
import { append } from './imap-append.ts';
import { fetchMessages } from './imap-fetch.ts';
import {
  done,
  firstOf,
  type ImapCommand,
  type ImapManner,
  type ImapSession,
  later,
  none,
  openable,
  quoted,
  unquoted,
} from './imap-session.ts';
import { type HeldMailbox, type HeldMailboxes, mailboxIn } from './mailboxes.ts';

/** As a server of today has them. */
export const modern = [
  ...['IMAP4rev1', 'SASL-IR', 'AUTH=OAUTHBEARER', 'AUTH=XOAUTH2', 'NAMESPACE'],
  ...['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'CONDSTORE'],
];
/** With what makes writing fast. */
export const writable = [...modern, 'LITERAL+', 'MULTIAPPEND', 'UIDPLUS'];

/** Speaks IMAP (RFC 9051) on a connection, as far as it takes to back mail up and to restore it. */
export function serveImap(socket: Socket, manner: ImapManner): void {
  const session: ImapSession = {
    manner,
    socket,
    reader: openCommandReader((line) => handle(session, line)),
    mailboxes: new Map(),
    opened: undefined,
    next: undefined,
    say: (line) => void socket.write(`${line}\r\n`, 'latin1'),
  };
  socket.on('data', (chunk: Buffer) => session.reader.push(chunk));
  session.say(manner.greeting);
}

function handle(session: ImapSession, line: string): void {
  const { manner, next, opened, socket } = session;
  if (next !== undefined) {
    session.next = undefined;
    next(line);
    return;
  }
  const [, tag = '*', name = '', rest = ''] = /^(\S+) (UID \S+|\S+) ?(.*)$/i.exec(line) ?? [];
  const command = { name: name.toUpperCase(), arguments: rest, opened };
  if (manner.hear?.(command, tag, socket)) return;
  const end = commands[command.name]?.(session, rest, tag);
  if (end !== later) session.say(`${tag} ${end ?? 'BAD What?'}`);
}

const commands: Readonly<Record<string, ImapCommand>> = {
  NOOP: () => done,
  CAPABILITY({ manner, say }) {
    say(`* CAPABILITY ${manner.capabilities.join(' ')}`);
    return done;
  },
  LOGOUT({ socket, say }) {
    say('* BYE Good night.');
    setImmediate(() => socket.end());
    return done;
  },
  AUTHENTICATE: authenticate,
  NAMESPACE({ manner: { prefix, delimiter }, say }) {
    say(`* NAMESPACE (("${prefix}" "${delimiter}")) (("Others${delimiter}" "${delimiter}")) NIL`);
    return done;
  },
  LIST: (session, rest) =>
    /^"" (""|"(?!\*")|\w)/.test(rest) ? listOne(session, unquoted(rest.slice(3))) : listAll(session, 'LIST', rest),
  LSUB: (session, rest) => listAll(session, 'LSUB', rest),
  STATUS(session, rest) {
    const path = unquoted(firstOf(rest));
    const mailbox = openable(session, path);
    if (mailbox === undefined) return none;
    session.say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
    return done;
  },
  CREATE({ mailboxes }, rest) {
    const path = unquoted(rest);
    if (mailboxes.has(path)) return 'NO It is there already.';
    mailboxIn(mailboxes, path);
    return done;
  },
  SUBSCRIBE({ mailboxes }, rest) {
    mailboxes.get(unquoted(rest))?.attributes.push('\\Subscribed');
    return done;
  },
  SELECT: (session, rest) => open(session, 'SELECT', unquoted(rest)),
  EXAMINE: (session, rest) => open(session, 'EXAMINE', unquoted(rest)),
  'UID FETCH': fetchMessages,
  'UID SEARCH'({ mailboxes, opened = '', say }, rest, tag) {
    const { messages = [] } = mailboxes.get(opened) ?? {};
    const uids = messages.map(({ uid }) => ` ${uid}`).join('');
    say(
      rest.startsWith('RETURN (COUNT)') ? `* ESEARCH (TAG "${tag}") UID COUNT ${messages.length}` : `* SEARCH${uids}`,
    );
    return done;
  },
  APPEND: append,
};

function authenticate(session: ImapSession, rest: string, tag: string): string {
  const { manner, say } = session;
  const [way = '', first] = rest.split(' ');
  const judge = (message: string) => {
    manner.login(Buffer.from(message, 'base64').toString()).then(
      (found) => (found === undefined ? refuse() : welcome(found)),
      () => say(`${tag} NO [UNAVAILABLE] Whose token it is cannot be found out now.`),
    );
  };
  const welcome = (found: HeldMailboxes) => {
    session.mailboxes = found;
    say(`${tag} OK [CAPABILITY ${manner.capabilities.join(' ')}] Welcome.`);
  };
  const refuse = () => {
    say(`+ ${Buffer.from('{"status":"invalid_token"}').toString('base64')}`);
    session.next = (line) => {
      const isRight = way.toUpperCase() === 'XOAUTH2' ? line === '' : line === 'AQ==';
      say(isRight ? `${tag} NO [AUTHENTICATIONFAILED] No.` : `${tag} BAD That was not expected.`);
    };
  };
  if (first === undefined) {
    say('+ ');
    session.next = judge;
  } else judge(first);
  return later;
}

function listOne({ manner, mailboxes, say }: ImapSession, path: string): string {
  const mailbox = mailboxes.get(path);
  const delimiter = delimiterAsSaid(manner);
  if (path === '') say(`* LIST (\\Noselect) ${delimiter} ""`);
  if (mailbox !== undefined) say(`* LIST (${mailbox.attributes.join(' ')}) ${delimiter} ${quoted(path)}`);
  return done;
}

function listAll({ manner, mailboxes, say }: ImapSession, name: 'LIST' | 'LSUB', rest: string): string {
  const isExtended = rest.includes('RETURN');
  for (const [path, mailbox] of mailboxes) {
    const { attributes } = mailbox;
    const shown = name === 'LSUB' || !isExtended ? attributes.filter((one) => one !== '\\Subscribed') : attributes;
    if (name === 'LSUB' && !attributes.includes('\\Subscribed')) continue;
    say(`* ${name} (${shown.join(' ')}) ${delimiterAsSaid(manner)} ${quoted(path)}`);
    if (rest.includes('STATUS') && !attributes.includes('\\Noselect'))
      say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
  }
  return done;
}

function open(session: ImapSession, how: 'SELECT' | 'EXAMINE', path: string): string {
  const { manner, say } = session;
  const mailbox = openable(session, path);
  session.opened = mailbox === undefined ? undefined : path;
  if (mailbox === undefined) return none;
  const { messages, exists, uidNext, uidValidity, modSeq, permanentFlags } = mailbox;
  say(exists ?? `* ${messages.length} EXISTS`);
  if (how === 'EXAMINE') say('* OK [PERMANENTFLAGS ()] Read-only.');
  else if (permanentFlags !== undefined) say(`* OK [PERMANENTFLAGS (${permanentFlags.join(' ')})] kept`);
  say(`* OK [UIDVALIDITY ${uidValidity}] valid`);
  say(`* OK [UIDNEXT ${uidNext}] next`);
  if (manner.capabilities.includes('CONDSTORE')) say(`* OK [HIGHESTMODSEQ ${modSeq}] highest`);
  return how === 'EXAMINE' ? 'OK [READ-ONLY] opened' : 'OK [READ-WRITE] opened';
}

function delimiterAsSaid({ delimiter }: ImapManner): string {
  return delimiter === '' ? 'NIL' : `"${delimiter}"`;
}

function statusOf({ messages, uidNext, uidValidity, modSeq }: HeldMailbox): string {
  return `(MESSAGES ${messages.length} UIDNEXT ${uidNext} UIDVALIDITY ${uidValidity} HIGHESTMODSEQ ${modSeq})`;
}
