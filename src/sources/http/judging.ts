import { AppError } from '../../errors.ts';
import type { Member } from '../source.ts';
import { type Coding, isCoding } from './decoding.ts';
import { openDigest } from './digest.ts';
import { type Answer, type Doubt, doubts, judge, judgeAtOnce, type ListedEntry, type Reread } from './judgement.ts';
import type { Questions } from './questions.ts';
import type { ResponseHead } from './request.ts';
import { textOf } from './status.ts';

/** What one source remembers of readings that were doubted, until their entry is opened again. */
export type Doubted = WeakMap<Member, Reread>;

/** How the entry is listed at this moment; undefined where that cannot be found out. */
export type Relist = (entry: Member, signal: AbortSignal) => Promise<ListedEntry | undefined>;

/** One reading of an entry being judged. */
export interface Judging {
  /** Throws for a response whose body cannot be the content. */
  refuseOther(head: ResponseHead, answer: Answer): void;
  /** The coding that must be taken off the body. */
  codingOf(head: ResponseHead, answer: Answer): Coding | undefined;
  /** Takes note of the body as it is read. */
  begin(answer: Answer, options: { readonly isEncoded: boolean }): BodyJudging;
}

export interface BodyJudging {
  passed(chunk: Uint8Array): void;
  /** The validator that the content may be filed under. Throws where it is doubted. */
  end(since: { readonly changed: boolean }): Promise<string | undefined>;
  /** The error to throw for a body that failed in a way that another reading may not. */
  broken(error: AppError): AppError;
}

/** Opens the judging of one more reading. One that follows a doubt is held against how the entry is listed now. */
export async function openJudging(
  entry: Member,
  {
    relist,
    questions,
    doubted,
    ofObjects,
    signal,
  }: {
    relist: Relist;
    questions: Questions;
    doubted: Doubted;
    ofObjects: boolean;
    signal: AbortSignal;
  },
): Promise<Judging> {
  const before = doubted.get(entry);
  const listed: ListedEntry = (before && (await relist(entry, signal))) ?? entry;

  /** The first doubt is worth another reading. */
  function errorFor(doubt: Doubt, reread: Reread, isWorthAnother = before === undefined): AppError {
    doubted.set(entry, reread);
    if (isWorthAnother) return new AppError('source/changed', doubt.message, { retry: { afterMs: 0 } });
    return new AppError(doubt.code, doubt.message);
  }

  return {
    refuseOther(head, answer) {
      const doubt = otherThanContent(head, answer, listed);
      if (doubt !== undefined) throw errorFor(doubt, { answer, read: { bytes: 0 } });
    },
    codingOf: (head, answer) => {
      const name = codingNameOf(head);
      return isCoding(name) && !isStoredSo(answer, listed, before) ? name : undefined;
    },
    begin(answer, { isEncoded }) {
      const isAsAnnounced = before === undefined && answer.size !== undefined && answer.size === listed.size;
      const digest = openDigest({ startLength: before?.read.bytes, hash: !isAsAnnounced });
      const ends = openEnds();
      return {
        passed: (chunk) => {
          digest.add(chunk);
          ends.add(chunk);
        },
        async end({ changed }) {
          const read = digest.result();
          const evidence = { listed, answer, read, changed, before, isObject: ofObjects, ...ends.told() };
          const judgement = judgeAtOnce(evidence) ?? judge(evidence, await relist(entry, signal));
          if (!('doubt' in judgement)) {
            const { isUnproven, mayBeCut } = judgement;
            if (isUnproven && (await questions.answersAnything(entry, answer.type, signal)))
              throw errorFor(doubts.page, { answer, read });
            if (mayBeCut && !isEncoded && (await questions.hasMore(entry, read.bytes, signal)))
              throw errorFor(doubts.cut, { answer, read });
            return judgement.validator;
          }
          // No digest was made of a body that seemed to be as announced: only the next reading can tell whether it grows.
          const isUntold = changed && before !== undefined && before.read.sha256 === undefined;
          throw errorFor(judgement.doubt, { answer, read }, before === undefined || isUntold);
        },
        broken: ({ code, message }) => errorFor({ code, message }, { answer, read: { bytes: 0 } }),
      };
    },
  };
}

/** Keeps how a body begins and ends: as a web page, or as an event or a contact, which begin and end with a line of their own (RFC 5545, RFC 6350). */
function openEnds() {
  let [begin, end] = ['', ''];
  return {
    add(chunk: Uint8Array): void {
      const textOf = (part: Uint8Array) => Buffer.from(part).toString('latin1');
      if (begin.length < endLength) begin += textOf(chunk.subarray(0, endLength));
      end = (end + textOf(chunk.subarray(-endLength))).slice(-endLength);
    },
    told: () => {
      const begins = /^(ï»¿)?\s*BEGIN:(VCALENDAR|VCARD)\s/i.test(begin);
      const ends = /END:(VCALENDAR|VCARD)[\s\0]*$/i.test(end);
      const isPage = /^(ï»¿)?\s*<(!doctype\s+html|html)\b/i.test(begin);
      return { isPage, isCut: begins && !ends, isWhole: begins && ends };
    },
  };
}

const endLength = 128;

function otherThanContent(head: ResponseHead, answer: Answer, listed: ListedEntry): Doubt | undefined {
  const coding = codingNameOf(head);
  if (head.status !== 200) return doubts.status(head.status);
  if (isPart(head, answer, listed)) return doubts.part;
  if (coding !== 'identity' && !isCoding(coding) && answer.size !== listed.size) return doubts.coding;
  return !answer.delimited && listed.size === undefined ? doubts.endless : undefined;
}

/** Whether it says of itself that it is not the whole, which a status of 200 says it is (RFC 9110, sections 14.4 and 14.6). */
function isPart({ headers }: ResponseHead, { type }: Answer, listed: ListedEntry): boolean {
  const [, begin, end, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(textOf(headers['content-range']) ?? '') ?? [];
  const isSome = total !== undefined && (Number(begin) > 0 || Number(end) + 1 < Number(total));
  return isSome || (type === 'multipart/byteranges' && listed.type !== type);
}

function codingNameOf({ headers }: ResponseHead): string {
  return textOf(headers['content-encoding'])?.trim().toLowerCase() || 'identity';
}

/** Files that are stored compressed may be announced so; where that proves wrong, the next reading is decoded. */
function isStoredSo({ size }: Answer, listed: ListedEntry, before: Reread | undefined): boolean {
  if (size !== undefined) return size === listed.size;
  return before === undefined && /\.(gz|tgz|svgz|br|zst|z)$/i.test(listed.name);
}
