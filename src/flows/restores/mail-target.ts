import { countWords } from '../../count-words.ts';
import { recordName } from '../../domain/restore-place.ts';
import type { AppError } from '../../errors.ts';
import type { MailWriter } from '../../sources/imap/mail-writer.ts';
import type { MailboxWriting } from '../../sources/imap/mailbox-writing.ts';
import type { TreeId } from '../../store/format/ids.ts';
import type { Node } from '../../store/format/node.ts';
import type { ReadableRepository } from '../../store/restorer/contract.ts';
import { findPlace } from '../../store/restorer/find-place.ts';
import type { Path, StreamTarget } from '../../store/restorer/restore-in-order.ts';
import { notWritten, openEntryGuard, type Reach } from './entry-guard.ts';
import { type RecordedMailbox, readRecord } from './mailbox-record.ts';
import type { RestoreNote, Written } from './writing.ts';

interface Target {
  readonly writer: MailWriter;
  readonly repository: ReadableRepository;
  readonly snapshot: { readonly tree: TreeId };
  /** What is restored: `mail`, a mailbox in it, or a message. */
  readonly asked: Path;
  readonly isMessage: boolean;
  /** The new mailbox that it goes into. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly written: Written;
  readonly notes: RestoreNote[];
}

/** A mailbox that messages are written to. */
interface OpenMailbox {
  /** As the snapshot has it, below `mail`. */
  readonly path: Path;
  readonly writing: MailboxWriting;
  readonly record: RecordedMailbox | undefined;
  /** Flags that the server does not keep, and of how many messages. */
  readonly leftOut: Map<string, number>;
  /** How many messages it is not known of which flags they had. */
  unknown: number;
}

/** As many short messages as go in one command, and as many that are read meanwhile. */
const atOnce = 200;

/**
 * A new mailbox of the person at the mail server, for a restore: a message goes into it, and each mailbox becomes one below it. Throws `restore/not-written` for what
 * the server refuses of one message or mailbox, and what the writer throws for anything else. `end` notes which flags were left out.
 */
export function openMailTarget(target: Target): StreamTarget & { end(): void } {
  const { asked, folder, isMessage, notes, repository, signal, snapshot, writer, written } = target;
  const guarded = openEntryGuard({ reachOf, whyNot });
  const askedFolder = isMessage ? asked.slice(0, -1) : asked;
  let open: OpenMailbox | undefined;

  async function openAt(place: Path, record: RecordedMailbox | undefined): Promise<OpenMailbox> {
    const path = place.slice(1);
    const levels = isMessage ? [] : levelsOf(path, record).slice(Math.max(asked.length - 2, 0));
    const writing = async () => {
      if (levels.length > 0) await writer.makeMailbox([folder, ...levels], signal);
      return writer.openMailbox([folder, ...levels], signal);
    };
    return { path, record, leftOut: new Map(), unknown: 0, writing: await guarded(path, writing()) };
  }

  function end(): void {
    const message = open === undefined ? '' : withoutFlags(open);
    if (open !== undefined && message !== '') notes.push({ path: open.path.join('/'), message });
    open = undefined;
  }

  return {
    atOnce,
    async makeFolder(path) {
      end();
      const place = [...askedFolder, ...path];
      const nodes = await nodesAt(repository, snapshot, place);
      if (nodes.some(isOfMailbox)) open = await openAt(place, await readRecord(repository, nodes));
    },
    async writeFile(path, content, { size, mtime }) {
      const name = path.at(-1) ?? '';
      const uid = /\[(\d+)\]\.eml$/.exec(name)?.[1];
      // Its messages get what it says of them.
      if (name === recordName) return;
      const mailbox = open;
      if (uid === undefined || mailbox === undefined) throw notWritten(path, 'it is no message of a mailbox');
      const { leftOut, record, writing } = mailbox;
      const known = record?.messages.get(uid);
      const said = known ?? { receivedAt: timeOf(mtime), flags: [], isAloneInSecond: false };
      for (const flag of await guarded(path, writing.write({ ...said, size, content }, signal)))
        leftOut.set(flag, (leftOut.get(flag) ?? 0) + 1);
      if (known === undefined) mailbox.unknown += 1;
      written.files += 1;
      written.bytes += size;
    },
    makeLink: async (path) => {
      throw notWritten(path, 'a mailbox has no links');
    },
    end,
  };
}

async function nodesAt(
  repository: ReadableRepository,
  snapshot: Target['snapshot'],
  path: Path,
): Promise<readonly Node[]> {
  const place = await findPlace(repository, snapshot, path.join('/'));
  return place.type === 'root' || place.type === 'dir' ? (await repository.loadTree(place.subtree)).nodes : [];
}

/** A folder without any of these only holds mailboxes. */
function isOfMailbox({ name, type }: Node): boolean {
  return type === 'file' && (name === recordName || /\]\.eml$/.test(name));
}

/** As its person knows them, where the record is of this mailbox. */
function levelsOf(path: Path, record: RecordedMailbox | undefined): Path {
  return record?.levels.length === path.length ? record.levels : path;
}

/** Unknown where a snapshot has the beginning of time. */
function timeOf(mtime: number): Date | undefined {
  return mtime > 0 ? new Date(mtime * 1000) : undefined;
}

const mostFlagsNamed = 20;
/** Longer ones are none that a person has chosen. */
const longestFlag = 100;

/** Nothing where all messages have all of theirs. */
function withoutFlags({ leftOut, unknown }: OpenMailbox): string {
  const named = [...leftOut]
    .slice(0, mostFlagsNamed)
    .map(([flag, count]) => `${flag.slice(0, longestFlag)} (${countWords(count, 'message')})`);
  const more = leftOut.size - named.length;
  const flags = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [
    ...(unknown === 0
      ? []
      : [
          `Written without flags, since no ${recordName} in the snapshot says which they had: ${countWords(unknown, 'message')}.`,
        ]),
    ...(leftOut.size === 0 ? [] : [`Written without flags that the mail server does not keep there: ${flags}.`]),
  ].join(' ');
}

/** What a server says of one message concerns that; where it is full, or talks nonsense, the next ones may go. */
function reachOf({ code, detail }: AppError): Reach {
  if (code === 'source/full') return 'for-now';
  if ('answer' in detail || 'limit' in detail) return 'entry';
  return /^source\/(unavailable|malformed|too-slow|too-large|changed|not-found|forbidden)$/.test(code)
    ? 'for-now'
    : 'all';
}

function whyNot({ detail: { answer, responseCode }, message }: AppError): string {
  const why = message.replace(/\.$/, '').replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  return answer === undefined ? why : `${why} (${[answer, responseCode].filter(Boolean).join(' ')})`;
}
