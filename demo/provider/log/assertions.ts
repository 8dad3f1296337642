import type { SessionEnd } from '../realm/offline-sessions.ts';
import type { Tables } from '../realm/tables.ts';
import type { OfflineAccess } from '../tokens/offline.ts';
import type { OfflineToken } from '../tokens/offline-token.ts';
import type { Clerk, Exchange } from './request-log.ts';

/** An offline session that was ever begun, and what the judge thinks of it. */
export interface JudgedGrant {
  readonly sid: string;
  readonly clientId: string;
  readonly subject: string;
  readonly alive: boolean;
  /** Why it is no more. */
  readonly endedBy?: SessionEnd;
  /** The newest token that the count of uses still allows, while the session lives. */
  readonly token?: string;
  /**
   * Whether a correct client would hold it still: a token that works was handed out in a whole answer, or would work,
   * had the client not sent one that was used up, or waited too long. Never after somebody took it back.
   */
  readonly held: boolean;
}

/** What the provider saw of its clients. It judges by what it handed to the network: what arrived it cannot know. */
export interface Judge {
  /** Every offline token ever issued, in this order. */
  issued(): OfflineToken[];
  /** Every token of any kind that was made for an answer, to search logs for. */
  secrets(): string[];
  /** Token requests in the order of their arrival; of one session, one person or one client where named. */
  exchanges(of?: { sid?: string; subject?: string; clientId?: string }): Exchange[];
  /** Pairs of requests of one session that were under way at the same time. */
  overlaps(): [Exchange, Exchange][];
  /** Requests with a token that is older than one of the same login that had been used before. */
  replays(): Exchange[];
  /** Requests with a token that an earlier request had used already. */
  repeats(): Exchange[];
  /** Offline tokens that were handed out in a whole answer. */
  delivered(): string[];
  grants(): JudgedGrant[];
  /** Of the grants those that live now. */
  alive(): JudgedGrant[];
  /** Of the grants those that a correct client would hold now. */
  held(): JudgedGrant[];
}

const sessionOf = ({ sid, clientId }: { sid?: string; clientId?: string }) => `${sid} ${clientId}`;

/** `noteReuse` must be told before a session ends over a token that came back. */
export function openJudge({ clerk, offline, tables }: { clerk: Clerk; offline: OfflineAccess; tables: Tables }): {
  judge: Judge;
  noteReuse(token: OfflineToken): void;
} {
  const { exchanges } = clerk;
  const heldAtReuse = tables.open<boolean>('held');
  const refreshes = () => exchanges().filter(({ sid }) => sid !== undefined);

  /** A token counts as handed out as long as that can still happen. */
  const lostTokens = () =>
    new Set(exchanges().flatMap(({ issued, ended, whole }) => (ended && !whole && issued ? [issued] : [])));
  const judgeGrant = (tokens: OfflineToken[], lost: ReadonlySet<string>): JudgedGrant[] => {
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
    return [...Map.groupBy(offline.issued(), sessionOf).values()].flatMap((tokens) => judgeGrant(tokens, lost));
  };

  const judge: Judge = {
    issued: () => [...offline.issued()],
    secrets: () => exchanges().flatMap(({ tokens }) => tokens),
    exchanges: (of = {}) =>
      exchanges().filter(
        (row) =>
          (of.sid ?? row.sid) === row.sid &&
          (of.subject ?? row.subject) === row.subject &&
          (of.clientId ?? row.clientId) === row.clientId,
      ),
    overlaps: () => pairs(refreshes(), sessionOf, (early, late) => !early.ended || early.ended > late.begun),
    replays: () =>
      lateOnes(refreshes(), (early, late) => (late.presentedIssuedAt ?? 0) < (early.presentedIssuedAt ?? 0)),
    repeats: () => lateOnes(refreshes(), (early, late) => late.presented === early.presented),
    delivered: () => exchanges().flatMap(({ issued, whole }) => (whole && issued ? [issued] : [])),
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
  return { judge, noteReuse };
}

type Faulty = (early: Exchange, late: Exchange) => boolean;

/** Pairs within a group, of which the later one began while, or after, the earlier one was something of a fault. */
function pairs(requests: Exchange[], group: (request: Exchange) => string, faulty: Faulty): [Exchange, Exchange][] {
  return [...Map.groupBy(requests, group).values()].flatMap((members) =>
    members.flatMap((late, index) =>
      members
        .slice(0, index)
        .filter((early) => faulty(early, late))
        .map((early): [Exchange, Exchange] => [early, late]),
    ),
  );
}

/** Requests that came after one of the same login had used its token up, and are at fault beside it. */
function lateOnes(requests: Exchange[], faulty: Faulty): Exchange[] {
  const found = pairs(
    requests,
    ({ login = '' }) => login,
    (early, late) => early.issued !== undefined && (early.committed ?? late.begun) < late.begun && faulty(early, late),
  );
  return [...new Set(found.map(([, late]) => late))];
}
