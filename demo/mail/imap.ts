import type { Socket } from 'node:net';
import { openCommandReader } from './command-reader.ts';
import { type HeldMailbox, type HeldMailboxes, mailboxIn, putInto } from './mailboxes.ts';

/** One command as a connection sent it, without its tag. */
export interface HeardCommand {
  readonly name: string;
  readonly arguments: string;
  /** Which mailbox that connection has open. */
  readonly opened: string | undefined;
}

/** A message as APPEND brings it. */
export interface AppendedMessage {
  readonly path: string;
  readonly content: Buffer;
  readonly flags: string[];
}

/** How a server behaves; what is optional is only bent by tests. */
export interface ImapManner {
  /** What the person has who logs in with this OAUTHBEARER or XOAUTH2 message, decoded; undefined where it is refused. */
  login(shown: string): Promise<HeldMailboxes | undefined>;
  readonly greeting: string;
  readonly capabilities: readonly string[];
  /** Empty where names have no levels. */
  readonly delimiter: string;
  /** In front of the names of the person's mailboxes. */
  readonly prefix: string;
  now(): Date;
  /** Answers in the server's stead: true where it did. What it sends goes to the socket; `tag` is the command's. */
  hear?(command: HeardCommand, tag: string, socket: Socket): boolean | undefined;
  /** The response code with which a message is refused; undefined where it is taken. */
  refuse?(message: AppendedMessage): string | undefined;
  /** What is stored of a message. */
  store?(content: Buffer): Buffer;
}

/** As a server of today has them. */
export const modern = [
  ...['IMAP4rev1', 'SASL-IR', 'AUTH=OAUTHBEARER', 'AUTH=XOAUTH2', 'NAMESPACE'],
  ...['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'CONDSTORE'],
];
/** With what makes writing fast. */
export const writable = [...modern, 'LITERAL+', 'MULTIAPPEND', 'UIDPLUS'];

/** Speaks IMAP (RFC 9051) on a connection, as far as it takes to back mail up and to restore it. */
export function serveImap(socket: Socket, manner: ImapManner): void {
  /** Whose mail it is; nobody's before the login. */
  let mailboxes: HeldMailboxes = new Map();
  let opened: string | undefined;
  /** What takes the next line, where it belongs to a command. */
  let next: ((line: string) => void) | undefined;
  const reader = openCommandReader(handle);
  const say = (line: string) => void socket.write(`${line}\r\n`, 'latin1');

  function handle(line: string): void {
    if (next !== undefined) {
      const take = next;
      next = undefined;
      take(line);
      return;
    }
    const [, tag = '*', name = '', rest = ''] = /^(\S+) (UID \S+|\S+) ?(.*)$/i.exec(line) ?? [];
    const command = { name: name.toUpperCase(), arguments: rest, opened };
    if (manner.hear?.(command, tag, socket)) return;
    const end = commands[command.name]?.(rest, tag);
    if (end !== 'later') say(`${tag} ${end ?? 'BAD What?'}`);
  }

  /** Each says how its command ends, or that it says so itself later. */
  const commands: Readonly<Record<string, (rest: string, tag: string) => string>> = {
    NOOP: () => done,
    CAPABILITY() {
      say(`* CAPABILITY ${manner.capabilities.join(' ')}`);
      return done;
    },
    LOGOUT() {
      say('* BYE Good night.');
      setImmediate(() => socket.end());
      return done;
    },
    AUTHENTICATE: authenticate,
    NAMESPACE() {
      const { prefix, delimiter } = manner;
      say(`* NAMESPACE (("${prefix}" "${delimiter}")) (("Others${delimiter}" "${delimiter}")) NIL`);
      return done;
    },
    LIST: (rest) => (/^"" (""|"(?!\*")|\w)/.test(rest) ? listOne(unquoted(rest.slice(3))) : listAll('LIST', rest)),
    LSUB: (rest) => listAll('LSUB', rest),
    STATUS(rest) {
      const path = unquoted(/^("(?:[^"\\]|\\.)*"|\S+)/.exec(rest)?.[1] ?? '');
      const mailbox = openable(path);
      if (mailbox === undefined) return none;
      say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
      return done;
    },
    CREATE(rest) {
      const path = unquoted(rest);
      if (mailboxes.has(path)) return 'NO It is there already.';
      mailboxIn(mailboxes, path);
      return done;
    },
    SUBSCRIBE(rest) {
      mailboxes.get(unquoted(rest))?.attributes.push('\\Subscribed');
      return done;
    },
    SELECT: (rest) => open('SELECT', unquoted(rest)),
    EXAMINE: (rest) => open('EXAMINE', unquoted(rest)),
    'UID FETCH'(rest) {
      const mailbox = opened === undefined ? undefined : mailboxes.get(opened);
      if (mailbox === undefined) return none;
      fetchFrom(mailbox, rest);
      return done;
    },
    'UID SEARCH'(rest, tag) {
      const { messages = [] } = mailboxes.get(opened ?? '') ?? {};
      const uids = messages.map(({ uid }) => ` ${uid}`).join('');
      say(
        rest.startsWith('RETURN (COUNT)') ? `* ESEARCH (TAG "${tag}") UID COUNT ${messages.length}` : `* SEARCH${uids}`,
      );
      return done;
    },
    APPEND: receive,
  };

  function openable(path: string): HeldMailbox | undefined {
    const mailbox = mailboxes.get(path);
    return mailbox?.attributes.some((one) => /^\\(Noselect|NonExistent)$/i.test(one)) ? undefined : mailbox;
  }

  function authenticate(rest: string, tag: string): string {
    const [way = '', first] = rest.split(' ');
    const judge = (message: string) => {
      manner.login(Buffer.from(message, 'base64').toString()).then(
        (found) => (found === undefined ? refuse() : welcome(found)),
        () => say(`${tag} NO [UNAVAILABLE] Whose token it is cannot be found out now.`),
      );
    };
    const welcome = (found: HeldMailboxes) => {
      mailboxes = found;
      say(`${tag} OK [CAPABILITY ${manner.capabilities.join(' ')}] Welcome.`);
    };
    const refuse = () => {
      say(`+ ${Buffer.from('{"status":"invalid_token"}').toString('base64')}`);
      next = (line) => {
        const isRight = way.toUpperCase() === 'XOAUTH2' ? line === '' : line === 'AQ==';
        say(isRight ? `${tag} NO [AUTHENTICATIONFAILED] No.` : `${tag} BAD That was not expected.`);
      };
    };
    if (first === undefined) {
      say('+ ');
      next = judge;
    } else judge(first);
    return 'later';
  }

  const delimiterAsSaid = () => (manner.delimiter === '' ? 'NIL' : `"${manner.delimiter}"`);

  function listOne(path: string): string {
    const mailbox = mailboxes.get(path);
    if (path === '') say(`* LIST (\\Noselect) ${delimiterAsSaid()} ""`);
    if (mailbox !== undefined) say(`* LIST (${mailbox.attributes.join(' ')}) ${delimiterAsSaid()} ${quoted(path)}`);
    return done;
  }

  function listAll(name: 'LIST' | 'LSUB', rest: string): string {
    const isExtended = rest.includes('RETURN');
    for (const [path, mailbox] of mailboxes) {
      const { attributes } = mailbox;
      const shown = name === 'LSUB' || !isExtended ? attributes.filter((one) => one !== '\\Subscribed') : attributes;
      if (name === 'LSUB' && !attributes.includes('\\Subscribed')) continue;
      say(`* ${name} (${shown.join(' ')}) ${delimiterAsSaid()} ${quoted(path)}`);
      if (rest.includes('STATUS') && !attributes.includes('\\Noselect'))
        say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
    }
    return done;
  }

  function open(how: 'SELECT' | 'EXAMINE', path: string): string {
    const mailbox = openable(path);
    opened = mailbox === undefined ? undefined : path;
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

  function fetchFrom({ messages }: HeldMailbox, rest: string): void {
    const [, set = '', items = ''] = /^(\S+) \((.*)\)$/.exec(rest) ?? [];
    const wanted = set.split(',').map((range) => range.split(':').map((one) => (one === '*' ? Infinity : Number(one))));
    for (const [at, message] of messages.entries()) {
      if (!wanted.some(([first = 0, last = first]) => message.uid >= first && message.uid <= last)) continue;
      const size = message.listedSize ?? message.content.length;
      const parts = [`UID ${message.uid}`];
      if (items.includes('FLAGS')) parts.push(`FLAGS (${message.flags.join(' ')})`);
      if (items.includes('INTERNALDATE')) parts.push(`INTERNALDATE "${internalDate(message.receivedAt)}"`);
      if (items.includes('RFC822.SIZE')) parts.push(`RFC822.SIZE ${size}`);
      const head = `* ${at + 1} FETCH (${parts.join(' ')}`;
      const field = /HEADER\.FIELDS \((\S+)\)/.exec(items)?.[1];
      if (field !== undefined) {
        const header = message.content.toString('latin1').split('\r\n\r\n')[0] ?? '';
        const found = new RegExp(`^${field}:.*(?:\\r\\n[ \\t].*)*`, 'im').exec(header)?.[0];
        sendLiteral(`${head} BODY[HEADER.FIELDS (${field})]`, Buffer.from(`${found ?? ''}\r\n\r\n`, 'latin1'));
      } else if (items.includes('BODY.PEEK[]')) {
        const [, from, length] = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/.exec(items) ?? [];
        const content =
          from === undefined ? message.content : message.content.subarray(Number(from), Number(from) + Number(length));
        sendLiteral(`${head} BODY[]${from === undefined ? '' : `<${from}>`}`, content);
      } else say(`${head})`);
    }
  }

  function sendLiteral(head: string, content: Buffer): void {
    socket.write(`${head} {${content.length}}\r\n`, 'latin1');
    socket.write(content);
    say(')');
  }

  /** The head of an APPEND as far as its first literal, which is taken before anything is answered. */
  function receive(rest: string, tag: string): string {
    const [, path = ''] = /^("(?:[^"\\]|\\.)*"|\S+)/.exec(rest) ?? [];
    const received: (AppendedMessage & { readonly receivedAt: Date })[] = [];
    const read = (line: string) => {
      const [, flags = '', date, size = '', plus] = /^ ?\(([^)]*)\) (?:"([^"]*)" )?\{(\d+)(\+?)\}$/.exec(line) ?? [];
      if (size === '') {
        say(`${tag} ${line === '' ? store(unquoted(path), received) : 'BAD What?'}`);
        return;
      }
      const receivedAt = date === undefined ? manner.now() : new Date(date);
      if (plus === '') say('+ go on');
      reader.expectLiteral(Number(size), (content) => {
        received.push({ path: unquoted(path), content, flags: flags.split(' ').filter(Boolean), receivedAt });
        next = read;
      });
    };
    read(rest.slice(path.length));
    return 'later';
  }

  /** All of them or none (RFC 3502); the answer to it. */
  function store(path: string, received: readonly (AppendedMessage & { readonly receivedAt: Date })[]): string {
    const mailbox = mailboxes.get(path);
    if (mailbox === undefined) return 'NO [TRYCREATE] There is none.';
    const refused = received.map((message) => manner.refuse?.(message)).find((code) => code !== undefined);
    if (refused !== undefined) return refused === 'BAD' ? 'BAD What?' : `NO [${refused}] No.`;
    for (const { content, flags, receivedAt } of received)
      putInto(mailbox, manner.store?.(content) ?? content, { receivedAt, flags });
    return 'OK stored';
  }

  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  say(manner.greeting);
}

const done = 'OK done';
const none = 'NO [NONEXISTENT] There is none.';

function statusOf({ messages, uidNext, uidValidity, modSeq }: HeldMailbox): string {
  return `(MESSAGES ${messages.length} UIDNEXT ${uidNext} UIDVALIDITY ${uidValidity} HIGHESTMODSEQ ${modSeq})`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function internalDate(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split(/[T.]/);
  const [year, month, day = ''] = date.split('-');
  return `${day.replace(/^0/, ' ')}-${months[Number(month) - 1]}-${year} ${time} +0000`;
}
