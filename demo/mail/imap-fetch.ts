import { done, type ImapSession, none } from './imap-session.ts';
import type { HeldMessage } from './mailboxes.ts';

/** What is asked for of messages of the mailbox that is open: what is known of them, and a header field or all or part of their bytes. */
export function fetchMessages(session: ImapSession, rest: string): string {
  const mailbox = session.mailboxes.get(session.opened ?? '');
  if (mailbox === undefined) return none;
  const [, set = '', items = ''] = /^(\S+) \((.*)\)$/.exec(rest) ?? [];
  const wanted = set.split(',').map((range) => range.split(':').map((one) => (one === '*' ? Infinity : Number(one))));
  for (const [at, message] of mailbox.messages.entries())
    if (wanted.some(([first = 0, last = first]) => message.uid >= first && message.uid <= last))
      sendMessage(session, `* ${at + 1} FETCH (${knownOf(message, items)}`, message.content, items);
  return done;
}

function knownOf(message: HeldMessage, items: string): string {
  const known = [`UID ${message.uid}`];
  if (items.includes('FLAGS')) known.push(`FLAGS (${message.flags.join(' ')})`);
  if (items.includes('INTERNALDATE')) known.push(`INTERNALDATE "${internalDate(message.receivedAt)}"`);
  if (items.includes('RFC822.SIZE')) known.push(`RFC822.SIZE ${message.listedSize ?? message.content.length}`);
  return known.join(' ');
}

function sendMessage(session: ImapSession, head: string, content: Buffer, items: string): void {
  const field = /HEADER\.FIELDS \((\S+)\)/.exec(items)?.[1];
  if (field !== undefined) {
    const header = content.toString('latin1').split('\r\n\r\n')[0] ?? '';
    const found = new RegExp(`^${field}:.*(?:\\r\\n[ \\t].*)*`, 'im').exec(header)?.[0];
    sendLiteral(session, `${head} BODY[HEADER.FIELDS (${field})]`, Buffer.from(`${found ?? ''}\r\n\r\n`, 'latin1'));
  } else if (items.includes('BODY.PEEK[]')) {
    const [, from, length] = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/.exec(items) ?? [];
    const part = from === undefined ? content : content.subarray(Number(from), Number(from) + Number(length));
    sendLiteral(session, `${head} BODY[]${from === undefined ? '' : `<${from}>`}`, part);
  } else session.say(`${head})`);
}

function sendLiteral({ socket, say }: ImapSession, head: string, content: Buffer): void {
  socket.write(`${head} {${content.length}}\r\n`, 'latin1');
  socket.write(content);
  say(')');
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function internalDate(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split(/[T.]/);
  const [year, month, day = ''] = date.split('-');
  return `${day.replace(/^0/, ' ')}-${months[Number(month) - 1]}-${year} ${time} +0000`;
}
