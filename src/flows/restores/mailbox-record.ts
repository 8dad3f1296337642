import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { recordName } from '../../domain/restore-place.ts';
import { isAppError } from '../../errors.ts';
import { piecesOfList } from '../../json-pieces.ts';
import { letOthers, piecesOf } from '../../pieces.ts';
import type { Node } from '../../store/format/node.ts';
import type { ReadableRepository } from '../../store/restorer/contract.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { objectOf, parseObject } from './json-object.ts';

/** What a snapshot says of a mailbox. */
export interface RecordedMailbox {
  /** The names of its levels, as its person knows them. */
  readonly levels: readonly string[];
  /** By the numbers of the messages. */
  readonly messages: ReadonlyMap<string, RecordedMessage>;
}

export interface RecordedMessage {
  readonly receivedAt: Date | undefined;
  readonly flags: readonly string[];
  /** Whether no other message of the mailbox was received in the same second. */
  readonly isAloneInSecond: boolean;
}

/** Of a mailbox with as many messages as one may have. */
const mostBytes = 128 * 1024 ** 2;
/** What is in front of its messages is shorter. */
const mostHeadBytes = 64 * 1024;

/** The record among the nodes of a mailbox; undefined where there is none that can be read. */
export async function readRecord(
  repository: ReadableRepository,
  nodes: readonly Node[],
): Promise<RecordedMailbox | undefined> {
  const record = await loadRecord(repository, nodes);
  if (record === undefined) return undefined;
  const { json, messagesAt } = record;
  const { name, delimiter } = headOf(record);
  if (typeof name !== 'string' || typeof delimiter !== 'string') return undefined;
  const levels = delimiter === '' ? [name] : name.split(delimiter);
  return { levels, messages: await readMessages(json, messagesAt) };
}

/** What a mailbox is for, such as `\Trash` (RFC 6154), by the record among its nodes; nothing where there is none that can be read. */
export async function readSpecialUse(
  repository: ReadableRepository,
  nodes: readonly Node[],
): Promise<readonly string[]> {
  const record = await loadRecord(repository, nodes, mostHeadBytes);
  const { specialUse } = record === undefined ? {} : headOf(record);
  return Array.isArray(specialUse) ? specialUse.filter((use) => typeof use === 'string') : [];
}

interface LoadedRecord {
  readonly json: Buffer;
  readonly messagesAt: number;
}

async function loadRecord(
  repository: ReadableRepository,
  nodes: readonly Node[],
  end = mostBytes,
): Promise<LoadedRecord | undefined> {
  const node = nodes.find(({ name }) => name === recordName);
  if (node?.type !== 'file' || node.size > mostBytes) return undefined;
  const json = await buffer(Readable.from(readFile(repository, node, { end }))).catch((error: unknown) => {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return Buffer.of();
  });
  const messagesAt = json.indexOf(messagesMember);
  return messagesAt < 0 ? undefined : { json, messagesAt };
}

/** All but the messages. */
function headOf({ json, messagesAt }: LoadedRecord): Readonly<Record<string, unknown>> {
  return parseObject(`${json.toString('utf8', 0, messagesAt).replace(/,\s*$/, '')}}`);
}

/** What is last in a record. In no text there is such a quotation mark. */
const messagesMember = '"messages":';

/** In pieces: a record of 200,000 messages is long. */
async function readMessages(json: Buffer, messagesAt: number): Promise<Map<string, RecordedMessage>> {
  const from = json.indexOf('{', messagesAt) + 1;
  const to = json.lastIndexOf('}', json.lastIndexOf('}') - 1);
  const ofSecond = new Map<number, number>();
  const read: (Omit<RecordedMessage, 'isAloneInSecond'> & { uid: string; second: number })[] = [];
  for (const piece of piecesOfList(json, from, to)) {
    for (const [uid, value] of Object.entries(parseObject(`{${piece.slice(1, -1)}}`))) {
      const { receivedAt, flags } = objectOf(value);
      const ms = typeof receivedAt === 'string' ? Date.parse(receivedAt) : Number.NaN;
      const second = Math.floor(ms / 1000);
      ofSecond.set(second, (ofSecond.get(second) ?? 0) + 1);
      read.push({
        uid,
        second,
        receivedAt: Number.isNaN(ms) ? undefined : new Date(ms),
        flags: Array.isArray(flags) ? flags.filter((one) => typeof one === 'string') : [],
      });
    }
    await letOthers();
  }
  const messages = new Map<string, RecordedMessage>();
  for await (const piece of piecesOf(read))
    for (const { uid, second, receivedAt, flags } of piece)
      messages.set(uid, { receivedAt, flags, isAloneInSecond: ofSecond.get(second) === 1 });
  return messages;
}
