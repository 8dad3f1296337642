import type { SessionEnd } from '../realm/offline-sessions.ts';
import type { Tables } from '../realm/tables.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';
import type { OfflineToken } from '../tokens/offline-token.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';

/** An offline session, alive or ended, as the request log shows it. */
export interface LoggedGrant {
  readonly sid: string;
  readonly clientId: string;
  readonly subject: string;
  readonly alive: boolean;
  /** Why it ended. */
  readonly endedBy?: SessionEnd;
  /** The newest token that may still be used, while the session is alive. */
  readonly token?: string;
  /**
   * Whether a correct client would still hold it: a working token was handed out in a whole answer, or would work had
   * the client not sent a used one or waited too long. False once a person or an administrator ended it.
   */
  readonly held: boolean;
}

/** What the request log proves about clients. It knows what was handed to the network, not what arrived. */
export interface LogAssertions {
  /** Every offline token ever issued, oldest first. */
  issued(): OfflineToken[];
  /** Every token of any kind that was issued, for tests that search for leaks. */
  secrets(): string[];
  /** Token requests in the order of their arrival; only those of a session, person or client where named. */
  requests(of?: { sid?: string; subject?: string; clientId?: string }): LoggedRequest[];
  /** Pairs of requests of one session that were in flight at the same time. */
  overlaps(): [LoggedRequest, LoggedRequest][];
  /** Requests with a token older than one of the same login that had already been used. */
  replays(): LoggedRequest[];
  /** Requests with a token that an earlier request had already used. */
  repeats(): LoggedRequest[];
  /** Offline tokens that were handed out in a whole answer. */
  delivered(): string[];
  grants(): LoggedGrant[];
  /** The grants that are alive. */
  alive(): LoggedGrant[];
  /** The grants that a correct client would still hold. */
  held(): LoggedGrant[];
}

const sessionOf = ({ sid, clientId }: { sid?: string; clientId?: string }) => `${sid} ${clientId}`;

/** `noteReuse` must be called before a session ends because a used token was sent again. */
export function openAssertions({
  requestLog,
  offline,
  tables,
}: {
  requestLog: RequestLog;
  offline: OfflineAccess;
  tables: Tables;
}): {
  log: LogAssertions;
  noteReuse(token: OfflineToken): void;
} {
  const { requests } = requestLog;
  const heldAtReuse = tables.open<boolean>('held');
  const refreshes = () => requests().filter(({ sid }) => sid !== undefined);

  /** Tokens whose answer was cut off. One that is still being sent counts as handed out. */
  const lostTokens = () =>
    new Set(requests().flatMap(({ issued, ended, whole }) => (ended && !whole && issued ? [issued] : [])));
  const assess = (tokens: OfflineToken[], lost: ReadonlySet<string>): LoggedGrant[] => {
    const [first] = tokens;
    if (!first) return [];
    const { sid, clientId, subject } = first;
    const endedBy = offline.sessions.endOf(sid, clientId);
    const working = tokens.filter((one) => offline.isUsable(one));
    const token = working.at(-1)?.token;
    const left = working.some((one) => !lost.has(one.token));
    const held = endedBy === 'reuse' ? heldAtReuse.get(sessionOf(first)) === true : left;
    const ended = endedBy !== undefined && { endedBy };
    return [
      {
        sid,
        clientId,
        subject,
        alive: !ended,
        ...ended,
        ...(!ended && token !== undefined && { token }),
        held: held && endedBy !== 'revoked' && endedBy !== 'max',
      },
    ];
  };
  const grants = () => {
    const lost = lostTokens();
    return [...Map.groupBy(offline.issued(), sessionOf).values()].flatMap((tokens) => assess(tokens, lost));
  };

  const log: LogAssertions = {
    issued: () => [...offline.issued()],
    secrets: () => requests().flatMap(({ tokens }) => tokens),
    requests: (of = {}) =>
      requests().filter(
        (row) =>
          (of.sid ?? row.sid) === row.sid &&
          (of.subject ?? row.subject) === row.subject &&
          (of.clientId ?? row.clientId) === row.clientId,
      ),
    overlaps: () => pairs(refreshes(), sessionOf, (early, late) => !early.ended || early.ended > late.begun),
    replays: () =>
      lateOnes(refreshes(), (early, late) => (late.presentedIssuedAt ?? 0) < (early.presentedIssuedAt ?? 0)),
    repeats: () => lateOnes(refreshes(), (early, late) => late.presented === early.presented),
    delivered: () => requests().flatMap(({ issued, whole }) => (whole && issued ? [issued] : [])),
    grants,
    alive: () => grants().filter(({ alive }) => alive),
    held: () => grants().filter(({ held }) => held),
  };
  const noteReuse = (token: OfflineToken) => {
    const lost = lostTokens();
    const works = (one: OfflineToken) => offline.isUsable(one) && !lost.has(one.token);
    const left = offline.issued().some((one) => sessionOf(one) === sessionOf(token) && works(one));
    heldAtReuse.put(sessionOf(token), left);
  };
  return { log, noteReuse };
}

type Faulty = (early: LoggedRequest, late: LoggedRequest) => boolean;

/** Pairs within a group, earlier request first, for which `faulty` holds. */
function pairs(
  requests: LoggedRequest[],
  group: (request: LoggedRequest) => string,
  faulty: Faulty,
): [LoggedRequest, LoggedRequest][] {
  return [...Map.groupBy(requests, group).values()].flatMap((members) =>
    members.flatMap((late, index) =>
      members
        .slice(0, index)
        .filter((early) => faulty(early, late))
        .map((early): [LoggedRequest, LoggedRequest] => [early, late]),
    ),
  );
}

/** Requests that began after another one of the same login was committed, and are faulty compared with it. */
function lateOnes(requests: LoggedRequest[], faulty: Faulty): LoggedRequest[] {
  const found = pairs(
    requests,
    ({ login = '' }) => login,
    (early, late) => early.issued !== undefined && (early.committed ?? late.begun) < late.begun && faulty(early, late),
  );
  return [...new Set(found.map(([, late]) => late))];
}
