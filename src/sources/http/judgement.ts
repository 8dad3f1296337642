import type { ErrorCode } from '../../errors.ts';
import type { Member } from '../source.ts';
import type { Digest } from './digest.ts';
import { entryValidator, isVersion, type VersionMetadata } from './validator.ts';

/** What the response to a GET said of its body. */
export interface Answer extends VersionMetadata {
  /** The server's clock (`Date`). */
  readonly date: Date | undefined;
  /** Media type, without parameters. */
  readonly type: string | undefined;
  /** Whether it came from another place than was asked. */
  readonly redirected: boolean;
  /** Whether HTTP told where the body ends, by a length or in chunks. */
  readonly delimited: boolean;
}

/** An entry as it is listed, asked for by itself. */
export interface ListedEntry extends Pick<Member, 'size' | 'modified' | 'validator'> {
  readonly name: string;
  /** Media type, without parameters. */
  readonly type?: string;
}

/** A body read to its end, and what is known of it. */
export interface Evidence {
  readonly listed: ListedEntry;
  readonly answer: Answer;
  readonly read: Digest;
  /** Whether the entry was another one by the time its body had been read. */
  readonly changed: boolean;
  /** The reading of this entry before, which was doubted. */
  readonly before: Reread | undefined;
  /** It is an event or a contact: never empty or cut off, and no document of another type. */
  readonly isObject: boolean;
  /** It begins as an event or a contact does, and does not end so. */
  readonly isCut: boolean;
  /** It begins and ends so. */
  readonly isWhole: boolean;
  /** It begins as a web page does, whatever type it has. */
  readonly isPage: boolean;
}

export interface Reread {
  readonly read: Digest;
  readonly answer: Answer;
}

/** Why something is not taken for the content of an entry. */
export interface Doubt {
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
}

/**
 * Good content and the validator that it may be filed under, or why it is doubted. `isUnproven`: nothing that is listed tells it from a message of the
 * server, which would come in the same way for what is not there. `mayBeCut`: less than is listed came, the same each time, and no length with it.
 */
export type Judgement =
  | { readonly validator: string | undefined; readonly isUnproven?: true; readonly mayBeCut?: true }
  | { readonly doubt: Doubt };

function malformed(message: string): Doubt {
  return { code: 'source/malformed', message };
}

/** Why the body of an answer is not taken for the file. */
export const doubts = {
  status: (status: number) => malformed(`The server sent something other than what was requested. (HTTP ${status})`),
  part: malformed('The server sent a part that was not requested.'),
  coding: malformed('The server sent it in a compressed form that was not requested and is not known.'),
  endless: malformed('The server does not say how long it is.'),
  page: malformed('The server sent a web page, or a message of its own, instead of what was requested.'),
  empty: malformed('The server sent nothing, although it is not empty.'),
  cut: malformed('The server sent only the beginning of it.'),
  redirected: malformed('The server redirected to something other than what was requested.'),
  length: malformed('The server sent a different length than it lists for the same version.'),
  changed: { code: 'source/changed', message: 'It changed while it was being read.' },
} as const;

/** What the answer alone proves; undefined where the entry must be asked for again. */
export function judgeAtOnce({
  listed,
  answer,
  read,
  changed,
  isObject,
  isCut,
  isPage,
}: Evidence): Judgement | undefined {
  if (changed || (listed.size !== undefined && listed.size !== read.bytes)) return undefined;
  if (isObject && listed.size === undefined && (read.bytes === 0 || isCut)) return undefined;
  if (isVersion(listed, answer)) return { validator: listed.validator };
  if (listed.validator !== undefined || answer.redirected || isPage || isErrorDocument(answer.type)) return undefined;
  if (listed.size === undefined && mayBeMessage(answer.type)) return undefined;
  return { validator: ownValidator(answer, read) };
}

/**
 * What the answer proves beside the listing of the entry made after it was read; undefined where there was none. Servers answer
 * sign-in pages, empty bodies and parts under the address of a file, with status 200; others list a size that no GET agrees
 * with, or serve files that grow while they are read.
 */
export function judge(evidence: Evidence, now: ListedEntry | undefined): Judgement {
  const { listed, answer, read, changed, before, isObject, isCut, isPage, isWhole } = evidence;
  const known = now ?? listed;
  const isListed = isVersion(listed, answer) || (now !== undefined && isVersion(now, answer));
  const isOther = isErrorDocument(answer.type) ? !mayBe(answer.type, known, { isObject }) : isPage && isOfBytes(known);
  if (!isListed && isOther) return { doubt: doubts.page };
  const isSome = known.size === undefined ? isObject : known.size > 0;
  if (read.bytes === 0 && isSome) return { doubt: doubts.empty };
  if (isObject && isCut && known.size === undefined) return { doubt: doubts.cut };
  if (changed) return hasGrown(before, read) ? readAgainNextTime : { doubt: doubts.changed };
  if (known.size === undefined || known.size === read.bytes) {
    if (answer.redirected && known.size === undefined && !isListed) return { doubt: doubts.redirected };
    const isProven = known.size !== undefined || listed.size === read.bytes || isListed || (isObject && isWhole);
    const isUnproven = !isProven && (isPage || mayBeMessage(answer.type));
    return { validator: validatorOf(evidence, now), ...(isUnproven && { isUnproven }) };
  }
  if (before !== undefined && isSameReading(before, evidence) && isVersion(known, answer)) {
    const mayBeCut = answer.size === undefined && read.bytes < known.size;
    return { validator: known.validator, ...(mayBeCut && { mayBeCut }) };
  }
  if (isNewer(answer, known)) return readAgainNextTime;
  if (now === undefined || isSame(listed, now)) return { doubt: doubts.length };
  // The entry changes from one request to the next: whole, and of a version of its own, it is good as it was at that moment.
  const isOfItsOwn = answer.etag !== undefined && answer.size !== undefined && !isVersion(listed, answer);
  const isGood = isOfItsOwn || listed.size === read.bytes || hasGrown(before, read);
  return isGood ? readAgainNextTime : { doubt: doubts.length };
}

const readAgainNextTime = { validator: undefined };

/** The validator of content that is as long as the entry is listed now. */
function validatorOf({ listed, answer, read }: Evidence, now: ListedEntry | undefined): string | undefined {
  if (now === undefined) return undefined;
  if (isVersion(now, answer)) return now.validator;
  const isStill = now.validator !== undefined && isSame(listed, now) && now.size === read.bytes;
  return isStill ? now.validator : undefined;
}

function ownValidator(answer: Answer, { bytes }: Digest): string | undefined {
  return entryValidator({ ...answer, size: bytes }, answer.date);
}

function isSame(one: ListedEntry, other: ListedEntry): boolean {
  return (
    one.validator === other.validator &&
    one.size === other.size &&
    one.modified?.getTime() === other.modified?.getTime()
  );
}

/** Whether the answer is whole and says that it is of a later version than the one listed. */
function isNewer(answer: Answer, listed: ListedEntry): boolean {
  if (answer.etag === undefined || answer.size === undefined || isVersion(listed, answer)) return false;
  return listed.modified !== undefined && answer.modified !== undefined && answer.modified > listed.modified;
}

/** Two readings of the same bytes under one validator: then the listed size is wrong. */
function isSameReading(before: Reread, { answer, read }: Evidence): boolean {
  return (
    answer.delimited &&
    before.answer.etag === answer.etag &&
    before.read.sha256 !== undefined &&
    before.read.sha256 === read.sha256
  );
}

/** What was read before is the beginning of what was read now: only more was appended. */
function hasGrown(before: Reread | undefined, { bytes, start }: Digest): boolean {
  const { bytes: former = 0, sha256 } = before?.read ?? {};
  return former > 0 && bytes >= former && sha256 !== undefined && sha256 === start;
}

const webPages = ['text/html', 'application/xhtml+xml'];
const messages = ['application/json', 'application/problem+json', 'application/xml', 'text/xml', 'text/plain'];

function isErrorDocument(type: string | undefined): boolean {
  return type !== undefined && (webPages.includes(type) || messages.includes(type));
}

/** Servers leave out the type of short messages. */
function mayBeMessage(type: string | undefined): boolean {
  return type === undefined || isErrorDocument(type);
}

/** Whether a document of this type may be the content of the entry; a web page may be only where something announced one. */
function mayBe(
  type: string | undefined,
  { name, type: listedType, size }: ListedEntry,
  { isObject }: { isObject: boolean },
): boolean {
  if (type === undefined) return true;
  if (listedType !== undefined) return listedType === type || (!webPages.includes(type) && size !== undefined);
  // A server that knows no better takes text for text.
  if (isObject) return size !== undefined ? !webPages.includes(type) : type === 'text/plain';
  return webPages.includes(type) ? /\.([sx]?html?|xht)$/i.test(name) : size !== undefined || !endingsOfBytes.test(name);
}

/** Of what is never text. */
const endingsOfBytes =
  /\.(7z|avi|bmp|bz2|dmg|docx?|epub|exe|flac|gif|gz|heic|ico|iso|jpe?g|kdbx|m4[av]|mkv|mov|mp[34]|od[pst]|og[agv]|opus|pdf|png|pptx?|psd|rar|tar|tgz|tiff?|wav|web[mp]|xlsx?|xz|zip)$/i;

/** Whether it is no text by its name, and no size tells what it is. */
function isOfBytes({ name, size }: ListedEntry): boolean {
  return size === undefined && endingsOfBytes.test(name);
}
