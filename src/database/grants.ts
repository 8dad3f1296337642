import { randomUUID } from 'node:crypto';
import { chooseGeneration } from '../domain/generation.ts';
import type { Database, Transaction } from './client.ts';
import { endExchange } from './exchanges.ts';
import type { Grant, TokenGeneration } from './generated/client.ts';

/** A sealed offline token and what may be known of it without opening it. */
export interface ReceivedToken {
  /** Seals for the number the generation gets: the number is part of what the seal is bound to. */
  sealFor: (number: number) => { sealed: Uint8Array<ArrayBuffer>; keyId: string };
  fingerprint: Uint8Array<ArrayBuffer>;
  issuedAt?: Date | undefined;
}

/** A claimed lease: the sole right to exchange the grant's token until `leaseUntil`. */
export interface Lease {
  exchangeId: string;
  grant: Grant;
  /** The generation to send. */
  token: TokenGeneration;
  fence: number;
  leaseUntil: Date;
}

export interface LeaseRequest {
  grantId: string;
  holder: string;
  purpose: string;
  runId?: string | undefined;
  at: Date;
  leaseMs: number;
}

/**
 * Claims the lease where it is free and the grant may be asked: fence + 1, and the exchange is on record before
 * anything is sent. A token that an earlier holder received and could not save is made the current one first.
 */
export async function claimLease(database: Database, request: LeaseRequest): Promise<Lease | undefined> {
  const { grantId, holder, at } = request;
  const leaseUntil = new Date(at.getTime() + request.leaseMs);
  return database.$transaction(async (transaction) => {
    const { count } = await transaction.grant.updateMany({
      where: {
        id: grantId,
        state: { not: 'withdrawn' },
        AND: [
          { OR: [{ leaseUntil: null }, { leaseUntil: { lte: at } }] },
          { OR: [{ state: 'active', reason: null }, { nextExchangeAt: { lte: at } }] },
        ],
      },
      data: { fence: { increment: 1 }, leaseHolder: holder, leaseUntil },
    });
    if (count === 0) return undefined;
    const token = await promotePending(transaction, grantId, at);
    const grant = await transaction.grant.findUniqueOrThrow({ where: { id: grantId } });
    const exchangeId = randomUUID();
    await transaction.exchange.create({
      data: {
        id: exchangeId,
        grantId,
        generation: token.number,
        fence: grant.fence,
        holder,
        purpose: request.purpose,
        runId: request.runId ?? null,
        startedAt: at,
      },
    });
    return { exchangeId, grant, token, fence: grant.fence, leaseUntil };
  });
}

export async function findGrant(database: Transaction, grantId: string): Promise<Grant | null> {
  return database.grant.findUnique({ where: { id: grantId } });
}

/** Grants that keep-alive must exchange, or may ask again, now; those whose token ends first come first. */
export async function listGrantsToExchange(
  database: Transaction,
  { at, limit }: { at: Date; limit: number },
): Promise<string[]> {
  const rows = await database.grant.findMany({
    where: {
      state: { not: 'withdrawn' },
      nextExchangeAt: { lte: at },
      OR: [{ state: { not: 'needs_consent' } }, { idleDeadline: { gt: at } }],
    },
    orderBy: { idleDeadline: 'asc' },
    take: limit,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

export interface Exchanged {
  lease: Lease;
  at: Date;
  status: number;
  /** Absent where the provider did not rotate. */
  received?: ReceivedToken | undefined;
  idleDeadline: Date;
  nextExchangeAt: Date;
}

/**
 * Saves an exchange that succeeded, guarded by generation and fence. Fenced out, the new token is kept as pending;
 * of a grant that was withdrawn meanwhile nothing is kept, and the caller must revoke it.
 */
export async function saveExchanged(
  database: Database,
  { lease, at, status, received, idleDeadline, nextExchangeAt }: Exchanged,
): Promise<'saved' | 'fenced' | 'withdrawn'> {
  const grantId = lease.grant.id;
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant.state === 'withdrawn') return 'withdrawn';
    const number = received && (await insertPending(transaction, lease, received, at));
    if (number !== undefined && number === grant.generation) return 'saved';
    await endExchange(transaction, { exchangeId: lease.exchangeId, at, verdict: 'ok', status, received: number });
    const { count } = await transaction.grant.updateMany({
      where: { id: grantId, generation: lease.token.number, fence: lease.fence },
      data: {
        state: 'active',
        reason: null,
        suspectSince: null,
        refusals: 0,
        leaseHolder: null,
        leaseUntil: null,
        lastExchangedAt: at,
        idleDeadline,
        nextExchangeAt,
        ...(number !== undefined && { generation: number }),
      },
    });
    if (count === 0) return 'fenced';
    if (number !== undefined) await moveTo(transaction, grantId, lease.token.number, number);
    if (grant.state !== 'active') await tellGrant(transaction, grant, 'active', 'exchanged', at, 'provider');
    return 'saved';
  });
}

/** Keeps a token that came with an answer that could not be accepted. The lease runs out by itself. */
export async function keepPending(
  database: Database,
  { lease, received, at }: { lease: Lease; received: ReceivedToken; at: Date },
): Promise<'kept' | 'withdrawn'> {
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, lease.grant.id);
    if (grant.state === 'withdrawn') return 'withdrawn';
    await insertPending(transaction, lease, received, at);
    return 'kept';
  });
}

export interface Change {
  state: 'active' | 'suspect' | 'needs_consent';
  reason: string | null;
  nextExchangeAt: Date;
  refusals: number;
  suspectSince: Date | null;
}

export interface Refused {
  lease: Lease;
  at: Date;
  verdict: string;
  status?: number | undefined;
  errorCode: string;
  /** Nothing of the grant changes where absent. */
  change?: Change | undefined;
  /** False leaves the lease to run out, so that nobody sends the same token too soon. */
  free: boolean;
}

/** Saves an exchange that brought nothing: the state changes only if generation and fence are still those sent. */
export async function saveRefused(database: Database, refused: Refused): Promise<void> {
  const { lease, at, change, free } = refused;
  await database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, lease.grant.id);
    await endExchange(transaction, { exchangeId: lease.exchangeId, ...refused });
    const { count } = await transaction.grant.updateMany({
      where: { id: grant.id, generation: lease.token.number, fence: lease.fence, state: { not: 'withdrawn' } },
      data: { ...change, ...(free && { leaseHolder: null, leaseUntil: null }) },
    });
    if (count === 1 && change && change.state !== grant.state)
      await tellGrant(transaction, grant, change.state, change.reason ?? refused.errorCode, at, 'provider');
  });
}

/** Ends the grant here: shreds its tokens, pauses its plan, and answers the last one, for revocation, or nothing if it had ended. */
export async function withdrawGrant(
  database: Database,
  { grantId, at, by, reason }: { grantId: string; at: Date; by: string; reason: string },
): Promise<{ grant: Grant; tokens: TokenGeneration[] } | undefined> {
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant.state === 'withdrawn') return undefined;
    const living = { grantId, state: { in: ['current' as const, 'pending' as const] } };
    const tokens = await transaction.tokenGeneration.findMany({ where: living, orderBy: { number: 'asc' } });
    await transaction.tokenGeneration.updateMany({ where: living, data: { state: 'dead' } });
    await transaction.tokenGeneration.updateMany({ where: { grantId }, data: { sealed: null } });
    await transaction.grant.update({
      where: { id: grantId },
      data: { state: 'withdrawn', reason, endedAt: at, fence: { increment: 1 }, leaseHolder: null, leaseUntil: null },
    });
    await transaction.plan.updateMany({ where: { grantId }, data: { paused: true } });
    await tellGrant(transaction, grant, 'withdrawn', reason, at, by);
    return { grant, tokens };
  });
}

/** The row, locked until the transaction ends: numbers of generations are given out one at a time. */
export async function lockGrant(transaction: Transaction, grantId: string): Promise<Grant> {
  await transaction.$queryRaw`SELECT id FROM grants WHERE id = ${grantId}::uuid FOR UPDATE`;
  return transaction.grant.findUniqueOrThrow({ where: { id: grantId } });
}

/** Writes the event that goes with a change of a grant's state. */
export async function tellGrant(
  transaction: Transaction,
  grant: { id: string; state?: string },
  to: string,
  reason: string,
  at: Date,
  by: string,
): Promise<void> {
  const from = grant.state ?? null;
  await transaction.event.create({ data: { subjectKind: 'grant', subjectId: grant.id, from, to, reason, at, by } });
}

/** The number that the next generation of the grant gets. */
export async function nextNumber(transaction: Transaction, grantId: string): Promise<number> {
  const { _max } = await transaction.tokenGeneration.aggregate({ where: { grantId }, _max: { number: true } });
  return (_max.number ?? 0) + 1;
}

async function insertPending(
  transaction: Transaction,
  lease: Lease,
  { sealFor, fingerprint, issuedAt }: ReceivedToken,
  at: Date,
): Promise<number> {
  const grantId = lease.grant.id;
  // A save whose answer was lost is made again: the same token is the same generation.
  const known = await transaction.tokenGeneration.findFirst({ where: { grantId, fingerprint } });
  if (known) return known.number;
  const number = await nextNumber(transaction, grantId);
  const origin = { parent: lease.token.number, fence: lease.fence, issuedAt: issuedAt ?? null, receivedAt: at };
  await transaction.tokenGeneration.create({
    data: { grantId, number, state: 'pending', ...sealFor(number), fingerprint, ...origin },
  });
  return number;
}

async function moveTo(transaction: Transaction, grantId: string, from: number, to: number): Promise<void> {
  const at = (number: number) => ({ where: { grantId_number: { grantId, number } } });
  await transaction.tokenGeneration.update({ ...at(from), data: { state: 'superseded' } });
  await transaction.tokenGeneration.update({ ...at(to), data: { state: 'current' } });
}

/** The generation to send, after one that was received and never made current took its place, if there is one. */
async function promotePending(transaction: Transaction, grantId: string, at: Date): Promise<TokenGeneration> {
  const known = await transaction.tokenGeneration.findMany({
    where: { grantId, state: { in: ['current', 'pending'] } },
  });
  const current = known.find(({ state }) => state === 'current');
  if (current === undefined) throw new Error(`Grant ${grantId} has no current generation.`);
  const pending = known.filter(({ state }) => state === 'pending');
  if (pending.length === 0) return current;
  const { number } = chooseGeneration(current, pending);
  const promoted = number !== current.number;
  if (promoted) {
    await moveTo(transaction, grantId, current.number, number);
    await transaction.grant.update({ where: { id: grantId }, data: { generation: number } });
    await tellGrant(transaction, { id: grantId }, 'promoted', `generation ${number}`, at, 'provider');
  }
  await transaction.tokenGeneration.updateMany({ where: { grantId, state: 'pending' }, data: { state: 'dead' } });
  return promoted ? (known.find((row) => row.number === number) ?? current) : current;
}
