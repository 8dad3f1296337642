import type { Tables } from '../realm/tables.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';

/** One token request, from its arrival until its answer was sent or its connection closed. */
export interface LoggedRequest {
  /** Counts all token requests, from 1. */
  readonly number: number;
  readonly grantType: string;
  /** The refresh token that was sent, and what it belongs to where this provider issued it. */
  readonly presented?: string;
  readonly sid?: string;
  readonly clientId?: string;
  readonly subject?: string;
  /** The login that the token descends from, and when the token was issued (seconds since the epoch). */
  readonly login?: string;
  readonly presentedIssuedAt?: number;
  /** When it began, as a position in one sequence of all beginnings, commits and ends. */
  readonly begun: number;
  /** When tokens were granted, in that sequence; the offline token that was presented is used up from then on. */
  readonly committed?: number;
  /** When the answer was handed to the network or the connection closed, in that sequence. */
  readonly ended?: number;
  /** The offline token that was issued. */
  readonly issued?: string;
  /** All tokens that were made for the answer. */
  readonly tokens: readonly string[];
  /** Whether the whole answer, with everything that was issued, was handed to the network. */
  readonly whole: boolean;
  readonly status?: number;
  readonly error?: string;
  /** The kind of fault that was injected. */
  readonly fault?: string;
}

/** The token requests of all clients, in the order of their arrival. */
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
