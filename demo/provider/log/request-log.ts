import type { Tables } from '../realm/tables.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';

/** One token request, from its arrival until nobody can answer it any more. */
export interface LoggedRequest {
  /** Counts all token requests, from 1. */
  readonly number: number;
  readonly grantType: string;
  /** The refresh token that was sent, and what it belongs to where it is one of ours. */
  readonly presented?: string;
  readonly sid?: string;
  readonly clientId?: string;
  readonly subject?: string;
  /** The login that the token goes back to, and when the token was issued (seconds since the epoch). */
  readonly login?: string;
  readonly presentedIssuedAt?: number;
  /** Where the request stands among all beginnings, commits and ends: one count for all of them. */
  readonly begun: number;
  /** When tokens were granted. Where an offline token was issued, the one that was presented is used up from here on. */
  readonly committed?: number;
  /** When the answer was handed to the network, or the connection was gone. */
  readonly ended?: number;
  /** The offline token that was issued. */
  readonly issued?: string;
  /** All tokens that were made for the answer. */
  readonly tokens: readonly string[];
  /** The whole answer was handed to the network, with everything that was issued in it. */
  readonly whole: boolean;
  readonly status?: number;
  readonly error?: string;
  /** The kind of the fault that it met. */
  readonly fault?: string;
}

/** Notes down the token requests, for the log to read. */
export interface RequestLog {
  requests(): LoggedRequest[];
  /** Gives the number of the request. */
  begin(grantType: string, presented: string | undefined): number;
  commit(number: number, issued: string | undefined): void;
  note(number: number, what: Partial<Pick<LoggedRequest, 'tokens' | 'status' | 'error' | 'fault'>>): void;
  end(number: number, whole: boolean): void;
}

export function openRequestLog(tables: Tables, find: OfflineAccess['find']): RequestLog {
  const rows = tables.open<LoggedRequest>('requests');
  const requests = () => [...rows.rows()];
  let count = requests().length;
  let order = Math.max(0, ...requests().flatMap(({ begun, committed = 0, ended = 0 }) => [begun, committed, ended]));
  const tick = () => {
    order += 1;
    return order;
  };
  const change = (number: number, what: Partial<LoggedRequest>) => {
    const row = rows.get(String(number));
    if (row) rows.put(String(number), { ...row, ...what });
  };
  const belongings = (presented: string | undefined) => {
    const token = presented === undefined ? undefined : find(presented);
    if (!token) return {};
    const { sid, clientId, subject, login, issuedAt } = token;
    return { sid, clientId, subject, login, presentedIssuedAt: issuedAt };
  };
  return {
    requests,
    begin: (grantType, presented) => {
      count += 1;
      rows.put(String(count), {
        number: count,
        grantType,
        begun: tick(),
        tokens: [],
        whole: false,
        ...(presented !== undefined && { presented }),
        ...belongings(presented),
      });
      return count;
    },
    commit: (number, issued) => change(number, { committed: tick(), ...(issued !== undefined && { issued }) }),
    note: change,
    end: (number, whole) => change(number, { ended: tick(), whole }),
  };
}
