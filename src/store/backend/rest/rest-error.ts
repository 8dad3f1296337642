import type { HttpAnswer } from '../http/http-answer.ts';
import { full, type Meaning, meaningOf, otherBytes, type StoreAct } from '../http/http-error.ts';

const forbidden: Readonly<Record<StoreAct, Meaning>> = {
  read: { what: 'does not let the user read there. Correct STORE_URL, or what the server allows', isOfFile: true },
  save: { what: 'does not let the user write there. Correct STORE_URL, or what the server allows' },
  list: { what: 'does not let the user list there. Correct STORE_URL, or what the server allows' },
  remove: {
    code: 'store/may-not-delete',
    what: 'lets nobody delete there (append-only). Whoever may must do this at the server, or by a way to it that allows it',
  },
};

/** What an answer of a server that speaks the REST protocol of restic means that is no success. */
export function meaningOfRest(answer: HttpAnswer, act: StoreAct): Meaning {
  const { status } = answer;
  if (status === 401) return { what: 'does not accept the user or the password. Correct STORE_URL or STORE_KEYS' };
  if (status === 403) return forbidden[act];
  if (status === 413) return full;
  if (act === 'save' && status === 400) return otherBytes;
  if (act === 'save' && (status === 404 || status === 405))
    return { what: 'keeps no repository at such a path. Shorten the prefix in STORE_URL: rest-server allows one name' };
  if (status >= 300 && status < 400) return { what: 'points to another address. Correct STORE_URL' };
  return meaningOf(answer);
}
