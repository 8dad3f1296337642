import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { recordName } from '../../domain/restore-place.ts';
import { piecesOf } from '../../pieces.ts';
import type { Member, Reading } from '../source.ts';
import type { MailboxFacts } from './mailbox-tree.ts';
import type { ListedMessage, ListedMessages } from './messages.ts';

/** What a mailbox has besides the bytes of its messages, as JSON: what somebody needs who puts them back. */
export interface MailboxRecord {
  readonly member: Member;
  /** Bytes of memory that it takes while it is held. */
  readonly memory: number;
  open(): Promise<Reading>;
}

const [compress, expand] = [promisify(deflate), promisify(inflate)];

/**
 * Writes the record of a mailbox: its name, number and uses, and of each message when it was received and its flags, by its number. What only this session
 * says (`\Recent`) is left out. It is held compressed: that of 100,000 messages takes less than a megabyte.
 */
export async function recordOf(facts: MailboxFacts, { opened, messages }: ListedMessages): Promise<MailboxRecord> {
  const { name, delimiter, specialUse, isSubscribed } = facts;
  const head = { name, delimiter, uidValidity: opened.uidValidity, specialUse, subscribed: isSubscribed };
  const parts: Buffer[] = [];
  const hash = createHash('sha256');
  const write = (text: string) => {
    const part = Buffer.from(text);
    parts.push(part);
    hash.update(part);
  };
  write(`${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "messages": {`);
  for await (const piece of piecesOf(messages))
    write((parts.length === 1 ? '\n' : ',\n') + piece.map(lineOf).join(',\n'));
  write(parts.length === 1 ? '}\n}\n' : '\n  }\n}\n');
  const validator = hash.digest('hex');
  const content = Buffer.concat(parts);
  const held = await compress(content);
  const size = content.length;
  return {
    member: { kind: 'entry', name: recordName, location: `${recordLocation}${opened.path}`, size, validator },
    memory: held.length,
    open: async () => ({ size, validator, body: [await expand(held)] }),
  };
}

function lineOf({ uid, receivedAt, flags }: ListedMessage): string {
  const kept = flags.filter((flag) => flag.toLowerCase() !== '\\recent').sort();
  return `    "${uid}": ${JSON.stringify({ receivedAt, flags: kept })}`;
}

const recordLocation = 'record ';

/** The mailbox whose record is there; undefined for a place of something else. */
export function mailboxOfRecord(location: string): string | undefined {
  return location.startsWith(recordLocation) ? location.slice(recordLocation.length) : undefined;
}
