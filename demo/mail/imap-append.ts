import { type AppendedMessage, firstOf, type ImapSession, later, unquoted } from './imap-session.ts';
import { putInto } from './mailboxes.ts';

interface ReceivedMessage extends AppendedMessage {
  readonly receivedAt: Date;
}

/** Takes the messages of one APPEND (RFC 3502), and stores them once all are there. */
export function append(session: ImapSession, rest: string, tag: string): string {
  const { manner, reader, say } = session;
  const path = firstOf(rest);
  const received: ReceivedMessage[] = [];
  const read = (line: string) => {
    const [, flags = '', date, size = '', plus] = /^ ?\(([^)]*)\) (?:"([^"]*)" )?\{(\d+)(\+?)\}$/.exec(line) ?? [];
    if (size === '') {
      say(`${tag} ${line === '' ? store(session, unquoted(path), received) : 'BAD What?'}`);
      return;
    }
    const receivedAt = date === undefined ? manner.now() : new Date(date);
    if (plus === '') say('+ go on');
    reader.expectLiteral(Number(size), (content) => {
      received.push({ path: unquoted(path), content, flags: flags.split(' ').filter(Boolean), receivedAt });
      session.next = read;
    });
  };
  read(rest.slice(path.length));
  return later;
}

/** All of them or none; the answer to it. */
function store({ manner, mailboxes }: ImapSession, path: string, received: readonly ReceivedMessage[]): string {
  const mailbox = mailboxes.get(path);
  if (mailbox === undefined) return 'NO [TRYCREATE] There is none.';
  const refused = received.map((message) => manner.refuse?.(message)).find((code) => code !== undefined);
  if (refused !== undefined) return refused === 'BAD' ? 'BAD What?' : `NO [${refused}] No.`;
  for (const { content, flags, receivedAt } of received)
    putInto(mailbox, manner.store?.(content) ?? content, { receivedAt, flags });
  return 'OK stored';
}
