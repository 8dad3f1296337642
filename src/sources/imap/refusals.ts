import { connectionFault } from '../../connection-fault.ts';
import { pauseForRetryAfter } from '../../domain/retry-after.ts';
import { AppError, codeIn } from '../../errors.ts';
import { escapedName } from '../../file-name.ts';
import { CommandRefused, ConnectionLost } from './connection.ts';

/** Response codes that say that the same command may succeed in a moment (RFC 5530). */
const passing = /^(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN|EXPUNGEISSUED)$/;

/** What servers write that say it without such a code, or with one that is about room: Exchange, Gmail, and Dovecot before 2.3. */
const passingWords =
  /\btemporar(y|ily)\b|\btry again later\b|\bthrottled\b|\bnot connected\b|\bexceeded\b.*\blimits?\b/i;

/** Whether a server refuses for there being too many connections of this person already. */
export function isCrowded(code: string, text: string): boolean {
  return code === 'LIMIT' || /\btoo many\b|\bconnections?\b.*\b(exceeded|limit)/i.test(text);
}

/** Whether the same may be asked again: there was no answer, or one that is about the moment. */
export function mayPass(error: unknown): error is ConnectionLost | CommandRefused {
  if (error instanceof ConnectionLost) return true;
  if (!(error instanceof CommandRefused)) return false;
  const { code, said } = error;
  return passing.test(code) || isCrowded(code, said) || (/^(|ALERT|OVERQUOTA)$/.test(code) && passingWords.test(said));
}

/** For the `catch` of a command that a server need not know: throws everything but a lasting refusal. */
export function passOverRefusal(error: unknown): void {
  if (!(error instanceof CommandRefused) || mayPass(error)) throw error;
}

/** The pause that a server asks for, in milliseconds (Exchange). */
export function pauseOf(error: ConnectionLost | CommandRefused): number {
  const said = error instanceof CommandRefused ? error.said : error.farewell;
  return pauseForRetryAfter(Number(/\bbackoff time: (\d{1,12}) milliseconds/i.exec(said)?.[1] ?? 0));
}

/** What passed at no try, as an error of a source. */
export function outage(error: ConnectionLost | CommandRefused): AppError {
  return new AppError('source/unavailable', messageOf(error), { cause: error, retry: { afterMs: pauseOf(error) } });
}

function messageOf(error: ConnectionLost | CommandRefused): string {
  if (error instanceof CommandRefused) return 'The mail server says that it cannot answer at the moment.';
  if (isCrowded('', error.farewell)) return 'The mail server takes no more connections of this person at the moment.';
  if (error.farewell !== '') return `The mail server closes the connection, and says: ${shownWords(error.farewell)}`;
  const fault = connectionFault(codeIn(error), { at: 'MAIL_URL' });
  if (fault !== undefined) return `The mail server ${fault.what}. ${fault.cure}.`;
  return 'The mail server does not answer, or breaks off its answers.';
}

/** Longer words are none that people read: servers repeat what they were sent, a token too. */
const longWords = /[\w+./=~-]{40,}/g;

function shownWords(said: string): string {
  return escapedName(said.replace(longWords, '…').slice(0, 200));
}

/** What a refusal says of what was asked for; `otherwise` is what it counts as where the server does not say why. */
export function refusal(error: CommandRefused, otherwise: 'source/not-found' | 'source/forbidden'): AppError {
  const { code, status } = error;
  const options = evidence(error);
  if (status === 'BAD')
    return new AppError('source/malformed', 'The mail server does not understand what it is asked.', options);
  if (notAllowed.test(code))
    return new AppError('source/forbidden', 'The mail server does not let this be read.', options);
  if (code === 'NONEXISTENT' || otherwise === 'source/not-found')
    return new AppError('source/not-found', 'The mail server does not open this mailbox.', options);
  return new AppError('source/forbidden', 'The mail server refuses to give this.', options);
}

/** Whether a message that is refused may be sent again in a moment: what limits or fills something is about the message, or about room. */
export function mayPassWritten(error: CommandRefused): boolean {
  const { code, said } = error;
  const isOfRoom = code === 'OVERQUOTA' && /\b(disk|mailbox|quota|space|storage)\b/i.test(said);
  return mayPass(error) && code !== 'LIMIT' && !isOfRoom;
}

/** What a refusal says of what was to be written (RFC 5530, RFC 7889). */
export function writeRefusal(error: CommandRefused): AppError {
  const { code, status } = error;
  const options = evidence(error);
  if (status === 'BAD') return new AppError('source/malformed', 'The mail server does not understand it.', options);
  if (code === 'OVERQUOTA')
    return new AppError('source/full', 'The mail server has no room left for this person.', options);
  if (code === 'TOOBIG') return new AppError('source/too-large', 'It is longer than the mail server takes.', options);
  if (code === 'TRYCREATE' || code === 'NONEXISTENT')
    return new AppError('source/not-found', 'The mailbox is not there any more.', options);
  if (notAllowed.test(code))
    return new AppError('source/forbidden', 'The mail server does not let this be written.', options);
  return new AppError('source/forbidden', 'The mail server does not accept it.', options);
}

const notAllowed = /^(NOPERM|AUTHORIZATIONFAILED|PRIVACYREQUIRED)$/;

function evidence(error: CommandRefused) {
  return { cause: error, detail: { answer: error.status, responseCode: error.code } };
}
