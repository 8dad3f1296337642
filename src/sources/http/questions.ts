import { randomUUID } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Member } from '../source.ts';
import type { Send } from './dav-request.ts';
import type { ResponseHead } from './request.ts';
import { textOf, typeOf } from './status.ts';

/** What else may be asked of an entry where its body and its listing prove nothing. Throw `source/unauthorized`, `source/unavailable` and what is not the source's. */
export interface Questions {
  /**
   * Whether something beside it, under a name that nobody has given, is answered just so, by the media type: a server that is not what it was, such as
   * a page to sign in or a message about a quota, answers everything alike.
   */
  answersAnything(entry: Member, type: string | undefined, signal: AbortSignal): Promise<boolean>;
  /** Whether the server has more of it than these bytes. */
  hasMore(entry: Member, bytes: number, signal: AbortSignal): Promise<boolean>;
}

/** Asks them by GET. */
export function openQuestions(send: Send): Questions {
  async function isSo(
    asked: { readonly path: string; readonly headers: readonly string[] },
    holds: (head: ResponseHead) => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      // Without a receiver nothing but the head counts.
      return holds((await send({ method: 'GET', ...asked, receive: () => undefined }, signal)).head);
    } catch (error) {
      const isRefused = isAppError(error) && refusals.test(error.code);
      if (!isRefused) throw error;
      return false;
    }
  }
  return {
    answersAnything: ({ location }, type, signal) => {
      const folder = location.slice(0, location.lastIndexOf('/') + 1);
      const [ending = ''] = /\.[\w-]{1,16}$/.exec(location.slice(folder.length)) ?? [];
      const path = `${folder}${randomUUID()}${ending}`;
      return isSo({ path, headers: [] }, (head) => head.status === 200 && typeOf(head) === type, signal);
    },
    hasMore: ({ location: path }, bytes, signal) =>
      isSo({ path, headers: ['range', `bytes=${bytes}-`] }, (head) => beginsAt(head) === bytes, signal),
  };
}

const refusals = /^source\/(changed|forbidden|loop|malformed|not-found|refused-redirect)$/;

/** Of which byte on an answer is a part; undefined for another one. */
function beginsAt({ status, headers }: ResponseHead): number | undefined {
  const begin = /^bytes (\d+)-/.exec(textOf(headers['content-range']) ?? '')?.[1];
  return status === 206 && begin !== undefined ? Number(begin) : undefined;
}
