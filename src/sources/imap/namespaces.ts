import { AppError } from '../../errors.ts';
import type { ImapConnection } from './connection.ts';
import { passOverRefusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';
import { readValues, textOf, wordsOf } from './values.ts';

/** Each name that is listed is compared with all of them. */
const mostNamespaces = 100;

/** Names that begin so are the person's own, or belong to other people, or to all of them. */
export interface Namespace {
  readonly prefix: string;
  /** Empty where names have no levels. */
  readonly delimiter: string;
  readonly isOwn: boolean;
}

/** As the server says them (RFC 2342); none where it does not. */
export async function listNamespaces(connection: ImapConnection, signal: AbortSignal): Promise<Namespace[]> {
  const namespaces: Namespace[] = [];
  const onResponse = (response: ImapResponse) => {
    const from = /^\* NAMESPACE /i.exec(response.text)?.[0].length;
    if (from === undefined) return;
    const values = readValues(response, from);
    for (const isOwn of [true, false, false]) {
      const group = values.next();
      for (const one of Array.isArray(group) ? group : [])
        for (const prefix of wordsOf(one).slice(0, 1)) {
          const delimiter = Array.isArray(one) ? (textOf(one[1]) ?? '') : '';
          namespaces.push({ prefix, delimiter, isOwn });
          if (namespaces.length > mostNamespaces)
            throw new AppError('source/malformed', 'The mail server names more namespaces than any server has.');
        }
    }
  };
  if (connection.capabilities.has('NAMESPACE'))
    await connection.run('NAMESPACE', { signal, onResponse }).catch(passOverRefusal);
  return namespaces;
}

/** Whether a mailbox is not the person's own, by the longest beginning; the inbox is everybody's own. */
export function isForeign(path: string, delimiter: string, namespaces: readonly Namespace[]): boolean {
  if (/^inbox$/i.test(path)) return false;
  let found: Namespace | undefined;
  for (const one of namespaces) {
    const begins = path.startsWith(one.prefix) || path + delimiter === one.prefix;
    if (begins && (found === undefined || one.prefix.length > found.prefix.length)) found = one;
  }
  return found?.isOwn === false;
}
