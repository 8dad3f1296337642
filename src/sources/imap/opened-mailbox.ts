import { AppError } from '../../errors.ts';
import { CommandRefused, type ImapConnection, type OpenedMailbox } from './connection.ts';
import { mayPass, refusal } from './refusals.ts';

/** Opens a mailbox to be read only (EXAMINE, RFC 9051, section 6.3.3): nothing of it changes. Throws `source/not-found`, and what commands throw. */
export function examine(connection: ImapConnection, path: string, signal: AbortSignal): Promise<OpenedMailbox> {
  return open('EXAMINE', connection, path, signal);
}

/** Opens a mailbox to be written to (SELECT, RFC 9051, section 6.3.2), so that the server says which flags it keeps there. Throws what `examine` does. */
export function select(connection: ImapConnection, path: string, signal: AbortSignal): Promise<OpenedMailbox> {
  return open('SELECT', connection, path, signal);
}

async function open(
  command: 'EXAMINE' | 'SELECT',
  connection: ImapConnection,
  path: string,
  signal: AbortSignal,
): Promise<OpenedMailbox> {
  connection.opened = undefined;
  const said = new Map<string, string>();
  let messages = 0;
  let permanentFlags: ReadonlySet<string> | undefined;
  const onResponse = ({ text }: { text: string }) => {
    const [, code, value = ''] = /^\* OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d{1,20})\]/i.exec(text) ?? [];
    if (code !== undefined) said.set(code.toUpperCase(), value);
    const count = /^\* (\d{1,10}) EXISTS$/i.exec(text)?.[1];
    if (count !== undefined) messages = Number(count);
    const flags = /^\* OK \[PERMANENTFLAGS \(([^)]*)\)\]/i.exec(text)?.[1];
    if (flags !== undefined) permanentFlags = new Set(flags.toLowerCase().split(' ').filter(Boolean));
  };
  try {
    await connection.run(`${command} ${quoted(path)}`, { signal, onResponse });
  } catch (error) {
    throw error instanceof CommandRefused && !mayPass(error) ? refusal(error, 'source/not-found') : error;
  }
  const opened = {
    path,
    uidValidity: said.get('UIDVALIDITY')?.replace(/^0+$/, '') || undefined,
    uidNext: said.get('UIDNEXT'),
    highestModSeq: said.get('HIGHESTMODSEQ'),
    messages,
    permanentFlags,
  };
  connection.opened = opened;
  return opened;
}

/** The same, unless it is open. Throws `source/changed` where its messages have other numbers than they were listed with. */
export async function reopen(
  connection: ImapConnection,
  { path, uidValidity }: { path: string; uidValidity: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { opened } = connection;
  const now = opened?.path === path ? opened : await examine(connection, path, signal);
  if (now.uidValidity !== uidValidity)
    throw new AppError(
      'source/changed',
      'The mail server has numbered the messages of this mailbox anew since it was listed.',
    );
}

/** A name as commands have it. Throws `source/malformed` for one with line ends or NUL, which a server may have made so: it would be a command of its own. */
export function quoted(path: string): string {
  if (/[\r\n\0]/.test(path))
    throw new AppError('source/malformed', 'The mail server wants a name of a mailbox that no mailbox can have.');
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
