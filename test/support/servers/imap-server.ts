import { createServer, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';

/** A message as a test put it there. */
export interface HeldMessage {
  readonly uid: number;
  content: Buffer;
  readonly receivedAt: Date;
  flags: string[];
  /** The size that is listed, where it is another than that of the content. */
  listedSize?: number;
}

export interface HeldMailbox {
  readonly messages: HeldMessage[];
  uidValidity: number;
  uidNext: number;
  modSeq: number;
  /** Such as `\Sent`. */
  attributes: string[];
  /** What it says as it is opened of how many messages there are, where that is not so. */
  exists?: string;
  /** Flags that it keeps; all where it does not say. */
  permanentFlags?: string[];
}

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

/** Answers in the server's stead: true where it did. What it sends goes to the socket; `tag` is the command's. */
export type MailMischief = (command: HeardCommand, tag: string, socket: Socket) => boolean | undefined;

/** A small IMAP server of one person, honest by itself, that a test can bend. */
export interface ImapServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly mailboxes: Map<string, HeldMailbox>;
  /** Tokens that are taken; any where it is undefined. */
  tokens: Set<string> | undefined;
  capabilities: string[];
  delimiter: string;
  /** In front of the names of the person's mailboxes. */
  prefix: string;
  /** The response code with which a message is refused; undefined where it is taken. */
  refuse: (message: AppendedMessage) => string | undefined;
  /** What is stored of a message. */
  store: (content: Buffer) => Buffer;
  greeting: string;
  mischief: MailMischief;
  readonly heard: HeardCommand[];
  /** What was shown as a login, decoded. */
  readonly shown: string[];
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Puts a message into a mailbox, which is made where it is not there. */
  put(mailbox: string, content: string | Buffer, more?: { receivedAt?: Date; flags?: string[] }): HeldMessage;
  expunge(mailbox: string, uid: number): void;
  flag(mailbox: string, uid: number, flags: string[]): void;
}

/** As a server of today has them. */
export const modern = [
  ...['IMAP4rev1', 'SASL-IR', 'AUTH=OAUTHBEARER', 'AUTH=XOAUTH2', 'NAMESPACE'],
  ...['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'CONDSTORE'],
];
/** With what makes writing fast. */
export const writable = [...modern, 'LITERAL+', 'MULTIAPPEND', 'UIDPLUS'];
/** As one has them that knows little more than RFC 3501. */
export const plain = ['IMAP4rev1', 'AUTH=XOAUTH2'];

/** With `tls` it speaks TLS from the first byte. */
export async function startImapServer({ tls }: { tls?: { key: string; cert: string } } = {}): Promise<ImapServer> {
  const sockets = new Set<Socket>();
  const state: Omit<ImapServer, typeof Symbol.asyncDispose | 'port' | 'url' | 'put' | 'expunge' | 'flag'> = {
    mailboxes: new Map(),
    tokens: undefined,
    capabilities: modern,
    delimiter: '/',
    prefix: '',
    refuse: () => undefined,
    store: (content) => content,
    greeting: '* OK ready',
    mischief: () => undefined,
    heard: [],
    shown: [],
    sockets,
  };
  const meet = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(server, socket);
  };
  const listening =
    tls === undefined ? createServer({ noDelay: true }, meet) : createSecureServer({ ...tls, noDelay: true }, meet);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server: ImapServer = Object.assign(state, {
    port,
    url: `${tls === undefined ? 'imap' : 'imaps'}://alice@127.0.0.1:${port}`,
    put(
      path: string,
      content: string | Buffer,
      { receivedAt = longAgo, flags = [] }: Parameters<ImapServer['put']>[2] = {},
    ) {
      const mailbox = mailboxAt(server, path);
      const message = { uid: mailbox.uidNext++, content: Buffer.from(content), receivedAt, flags };
      mailbox.messages.push(message);
      mailbox.modSeq++;
      return message;
    },
    expunge(path: string, uid: number) {
      const mailbox = mailboxAt(server, path);
      mailbox.messages.splice(
        mailbox.messages.findIndex((one) => one.uid === uid),
        1,
      );
      mailbox.modSeq++;
    },
    flag(path: string, uid: number, flags: string[]) {
      const mailbox = mailboxAt(server, path);
      for (const message of mailbox.messages) if (message.uid === uid) message.flags = flags;
      mailbox.modSeq++;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listening.close(resolve));
    },
  });
  return server;
}

const longAgo = new Date('2020-02-03T04:05:06Z');

/** The mailbox of that name, made where it is not there. */
export function mailboxAt({ mailboxes }: Pick<ImapServer, 'mailboxes'>, path: string): HeldMailbox {
  const known = mailboxes.get(path);
  if (known !== undefined) return known;
  const made = { messages: [], uidValidity: 7, uidNext: 1, modSeq: 1, attributes: [] };
  mailboxes.set(path, made);
  return made;
}

function serve(server: ImapServer, socket: Socket): void {
  let opened: string | undefined;
  let input = '';
  /** What is being received, where it is no line. */
  let literal: { left: number; readonly take: (content: Buffer) => void } | undefined;
  /** What takes the next line, where it belongs to a command. */
  let next: ((line: string) => void) | undefined;
  const say = (line: string) => socket.write(`${line}\r\n`, 'latin1');
  say(server.greeting);

  function handle(line: string): void {
    if (next !== undefined) {
      const take = next;
      next = undefined;
      take(line);
      return;
    }
    const [, tag = '', name = '', rest = ''] = /^(\S+) (UID \S+|\S+) ?(.*)$/i.exec(line) ?? [];
    const command = { name: name.toUpperCase(), arguments: rest, opened };
    server.heard.push(command);
    if (server.mischief(command, tag, socket)) return;
    answer(command, tag);
  }

  function answer({ name, arguments: rest }: HeardCommand, tag: string): void {
    const ok = (text = 'done') => say(`${tag} OK ${text}`);
    const none = () => say(`${tag} NO [NONEXISTENT] There is none.`);
    if (name === 'NOOP') ok();
    else if (name === 'CAPABILITY') {
      say(`* CAPABILITY ${server.capabilities.join(' ')}`);
      ok();
    } else if (name === 'AUTHENTICATE') authenticate(rest, tag);
    else if (name === 'NAMESPACE') {
      say(
        `* NAMESPACE (("${server.prefix}" "${server.delimiter}")) (("Others${server.delimiter}" "${server.delimiter}")) NIL`,
      );
      ok();
    } else if (name === 'LIST' && /^"" (""|"(?!\*")|\w)/.test(rest)) {
      const path = unquoted(rest.slice(3));
      const mailbox = server.mailboxes.get(path);
      const delimiter = server.delimiter === '' ? 'NIL' : `"${server.delimiter}"`;
      if (path === '') say(`* LIST (\\Noselect) ${delimiter} ""`);
      if (mailbox !== undefined) say(`* LIST (${mailbox.attributes.join(' ')}) ${delimiter} ${quoted(path)}`);
      ok();
    } else if (name === 'CREATE') {
      const path = unquoted(rest);
      if (server.mailboxes.has(path)) say(`${tag} NO It is there already.`);
      else {
        mailboxAt(server, path);
        ok();
      }
    } else if (name === 'SUBSCRIBE') {
      server.mailboxes.get(unquoted(rest))?.attributes.push('\\Subscribed');
      ok();
    } else if (name === 'APPEND') receive(rest, tag);
    else if (name === 'LIST' || name === 'LSUB') {
      list(name, rest);
      ok();
    } else if (name === 'STATUS') {
      const path = unquoted(/^("(?:[^"\\]|\\.)*"|\S+)/.exec(rest)?.[1] ?? '');
      const mailbox = openable(path);
      if (mailbox !== undefined) say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
      (mailbox === undefined ? none : ok)();
    } else if (name === 'EXAMINE' || name === 'SELECT') {
      const mailbox = openable(unquoted(rest));
      opened = undefined;
      if (mailbox === undefined) {
        none();
        return;
      }
      opened = unquoted(rest);
      const { messages, uidNext, uidValidity, modSeq, permanentFlags } = mailbox;
      say(mailbox.exists ?? `* ${messages.length} EXISTS`);
      if (name === 'EXAMINE') say('* OK [PERMANENTFLAGS ()] Read-only.');
      else if (permanentFlags !== undefined) say(`* OK [PERMANENTFLAGS (${permanentFlags.join(' ')})] kept`);
      say(`* OK [UIDVALIDITY ${uidValidity}] valid`);
      say(`* OK [UIDNEXT ${uidNext}] next`);
      if (server.capabilities.includes('CONDSTORE')) say(`* OK [HIGHESTMODSEQ ${modSeq}] highest`);
      ok(name === 'EXAMINE' ? '[READ-ONLY] opened' : '[READ-WRITE] opened');
    } else if (name === 'UID FETCH') {
      const mailbox = opened === undefined ? undefined : server.mailboxes.get(opened);
      if (mailbox !== undefined) fetchFrom(mailbox, rest);
      (mailbox === undefined ? none : ok)();
    } else if (name === 'UID SEARCH') {
      const { messages = [] } = server.mailboxes.get(opened ?? '') ?? {};
      const uids = messages.map(({ uid }) => ` ${uid}`).join('');
      say(
        rest.startsWith('RETURN (COUNT)') ? `* ESEARCH (TAG "${tag}") UID COUNT ${messages.length}` : `* SEARCH${uids}`,
      );
      ok();
    } else say(`${tag} BAD What?`);
  }

  function openable(path: string): HeldMailbox | undefined {
    const mailbox = server.mailboxes.get(path);
    return mailbox?.attributes.some((one) => /^\\(Noselect|NonExistent)$/i.test(one)) ? undefined : mailbox;
  }

  /** The head of an APPEND as far as its first literal, which is taken before anything is answered. */
  function receive(rest: string, tag: string): void {
    const [, path = ''] = /^("(?:[^"\\]|\\.)*"|\S+)/.exec(rest) ?? [];
    const received: AppendedMessage[] = [];
    const dates: Date[] = [];
    const read = (line: string) => {
      const [, flags = '', date, size = '', plus] = /^ ?\(([^)]*)\) (?:"([^"]*)" )?\{(\d+)(\+?)\}$/.exec(line) ?? [];
      if (size === '') {
        say(line === '' ? `${tag} ${store(unquoted(path), received, dates)}` : `${tag} BAD What?`);
        return;
      }
      dates.push(date === undefined ? new Date() : new Date(date));
      if (plus === '') say('+ go on');
      literal = {
        left: Number(size),
        take: (content) => {
          received.push({ path: unquoted(path), content, flags: flags.split(' ').filter(Boolean) });
          next = read;
        },
      };
    };
    read(rest.slice(path.length));
  }

  /** All of them or none (RFC 3502); the answer to it. */
  function store(path: string, received: readonly AppendedMessage[], dates: readonly Date[]): string {
    const mailbox = server.mailboxes.get(path);
    if (mailbox === undefined) return 'NO [TRYCREATE] There is none.';
    const refused = received.map(server.refuse).find((code) => code !== undefined);
    if (refused !== undefined) return refused === 'BAD' ? 'BAD What?' : `NO [${refused}] No.`;
    for (const [at, { content, flags }] of received.entries())
      server.put(path, server.store(content), { receivedAt: dates[at] ?? longAgo, flags });
    return 'OK stored';
  }

  function authenticate(rest: string, tag: string): void {
    const [way = '', first] = rest.split(' ');
    const judge = (message: string) => {
      const decoded = Buffer.from(message, 'base64').toString();
      server.shown.push(decoded);
      const token = /auth=Bearer ([^\x01]*)/.exec(decoded)?.[1] ?? '';
      if (server.tokens === undefined || server.tokens.has(token)) {
        say(`${tag} OK [CAPABILITY ${server.capabilities.join(' ')}] Welcome.`);
        return;
      }
      say(`+ ${Buffer.from('{"status":"invalid_token"}').toString('base64')}`);
      next = (line) => {
        const isRight = way === 'XOAUTH2' ? line === '' : line === 'AQ==';
        say(isRight ? `${tag} NO [AUTHENTICATIONFAILED] No.` : `${tag} BAD That was not expected.`);
      };
    };
    if (first === undefined) {
      say('+ ');
      next = judge;
    } else judge(first);
  }

  function list(name: string, rest: string): void {
    const isExtended = rest.includes('RETURN');
    for (const [path, mailbox] of server.mailboxes) {
      const { attributes } = mailbox;
      const shown = name === 'LSUB' || !isExtended ? attributes.filter((one) => one !== '\\Subscribed') : attributes;
      if (name === 'LSUB' && !attributes.includes('\\Subscribed')) continue;
      const delimiter = server.delimiter === '' ? 'NIL' : `"${server.delimiter}"`;
      say(`* ${name} (${shown.join(' ')}) ${delimiter} ${quoted(path)}`);
      if (rest.includes('STATUS') && !attributes.includes('\\Noselect'))
        say(`* STATUS ${quoted(path)} ${statusOf(mailbox)}`);
    }
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

  socket.on('data', (chunk) => {
    input += chunk.toString('latin1');
    for (;;) {
      if (literal !== undefined) {
        if (input.length < literal.left) return;
        const { left, take } = literal;
        literal = undefined;
        const content = Buffer.from(input.slice(0, left), 'latin1');
        input = input.slice(left);
        take(content);
        continue;
      }
      const end = input.indexOf('\r\n');
      if (end === -1) return;
      const line = input.slice(0, end);
      input = input.slice(end + 2);
      handle(line);
    }
  });
}

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
