import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { recordName } from '../../domain/restore-place.ts';
import { isAppError } from '../../errors.ts';
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

/** The record among the nodes of a mailbox; undefined where there is none that can be read. */
export async function readRecord(
  repository: ReadableRepository,
  nodes: readonly Node[],
): Promise<RecordedMailbox | undefined> {
  const node = nodes.find(({ name }) => name === recordName);
  if (node?.type !== 'file' || node.size > mostBytes) return undefined;
  const json = await text(Readable.from(readFile(repository, node))).catch((error: unknown) => {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return '';
  });
  const { name, delimiter, messages } = parseObject(json);
  if (typeof name !== 'string' || typeof delimiter !== 'string') return undefined;
  return { levels: delimiter === '' ? [name] : name.split(delimiter), messages: readMessages(objectOf(messages)) };
}

function readMessages(said: Readonly<Record<string, unknown>>): Map<string, RecordedMessage> {
  const ofSecond = new Map<number, number>();
  const read = Object.entries(said).map(([uid, value]) => {
    const { receivedAt, flags } = objectOf(value);
    const ms = typeof receivedAt === 'string' ? Date.parse(receivedAt) : Number.NaN;
    const second = Math.floor(ms / 1000);
    ofSecond.set(second, (ofSecond.get(second) ?? 0) + 1);
    return { uid, ms, second, flags: Array.isArray(flags) ? flags.filter((one) => typeof one === 'string') : [] };
  });
  const messages = new Map<string, RecordedMessage>();
  for (const { uid, ms, second, flags } of read)
    messages.set(uid, {
      receivedAt: Number.isNaN(ms) ? undefined : new Date(ms),
      flags,
      isAloneInSecond: ofSecond.get(second) === 1,
    });
  return messages;
}
