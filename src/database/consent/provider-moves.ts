import type { PersonFacts, RowSealing } from '../../domain/row-facts.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import type { Grant, Prisma } from '../generated/client.ts';

/** How many consents that were not withdrawn there are of each issuer. */
export async function countGrantsByIssuer(database: Database): Promise<{ issuer: string; count: number }[]> {
  const where = { state: { not: 'withdrawn' as const } };
  const rows = await database.grant.groupBy({ by: ['issuer'], where, _count: true, orderBy: { issuer: 'asc' } });
  return rows.map(({ issuer, _count: count }) => ({ issuer, count }));
}

/** How many consents of an issuer that were not withdrawn were given to another client, by its id. */
export async function countGrantsOfOtherClients(
  database: Database,
  { issuer, clientId }: { issuer: string; clientId: string },
): Promise<{ clientId: string; count: number }[]> {
  const where = { issuer, clientId: { not: clientId }, state: { not: 'withdrawn' as const } };
  const rows = await database.grant.groupBy({ by: ['clientId'], where, _count: true, orderBy: { clientId: 'asc' } });
  return rows.map(({ clientId: other, _count: count }) => ({ clientId: other, count }));
}

/** Every issuer that somebody here is of. */
export async function listIssuers(database: Database): Promise<string[]> {
  const rows = await database.user.groupBy({ by: ['issuer'], orderBy: { issuer: 'asc' } });
  return rows.map(({ issuer }) => issuer);
}

/** The issuer under which somebody of the same subject has consented, where it is another one than this person's; or null. */
export async function findFormerIssuer(database: Database, { userId }: { userId: string }): Promise<string | null> {
  const [found] = await database.$queryRaw<{ issuer: string }[]>`
    SELECT o.issuer FROM users u JOIN users o ON o.subject = u.subject AND o.issuer <> u.issuer
      JOIN grants g ON g.user_id = o.id
    WHERE u.id = ${userId}::uuid ORDER BY g.last_exchanged_at DESC LIMIT 1`;
  return found?.issuer ?? null;
}

interface Key {
  kid: string;
  thumbprint: string;
}

/** Records the keys that a provider published. */
export async function saveProviderKeys(
  database: Database,
  { issuer, keys, at }: { issuer: string; keys: readonly Key[]; at: Date },
): Promise<void> {
  for (const { kid, thumbprint } of keys) {
    const key = { issuer, kid, thumbprint };
    await database.providerKey.upsert({
      where: { issuer_kid_thumbprint: key },
      create: { ...key, seenAt: at },
      update: { seenAt: at },
    });
  }
}

/** Whether a key is known of a provider, whichever of these it calls itself. */
export async function hasProviderKeys(database: Database, issuers: string[]): Promise<boolean> {
  return (await database.providerKey.findFirst({ where: { issuer: { in: issuers } }, select: { kid: true } })) !== null;
}

/** The keys that a provider has published while it was asked. */
export async function listProviderKeys(database: Database, issuer: string): Promise<Key[]> {
  return database.providerKey.findMany({ where: { issuer }, select: { kid: true, thumbprint: true } });
}

/** The grants of an issuer that were exchanged last and may be used. */
export async function listLatestGrants(
  database: Database,
  { issuer, limit }: { issuer: string; limit: number },
): Promise<Pick<Grant, 'id' | 'subject'>[]> {
  return database.grant.findMany({
    where: { issuer, state: 'active' },
    orderBy: { lastExchangedAt: 'desc' },
    take: limit,
    select: { id: true, subject: true },
  });
}

/** How the reason of a move begins that the keys of the provider proved. */
export const sameKeys = 'same keys';

/** Who would be moved, and who not. */
export interface MoveView {
  people: number;
  grants: number;
  /** People who signed in at the new issuer meanwhile and left nothing there: they become one. */
  joined: number;
  /** Subjects who have consented, or are backed up, at both: they stay two. */
  settled: string[];
}

interface Twin {
  id: string;
  subject: string;
  settled: boolean;
}

/** What a move would do. */
export async function viewMove(database: Transaction, { from, to }: { from: string; to: string }): Promise<MoveView> {
  const twins = await listTwins(database, { from, to });
  const settled = twins.filter((twin) => twin.settled).map(({ subject }) => subject);
  const where = { issuer: from, subject: { notIn: settled } };
  const [people, grants] = [await database.user.count({ where }), await database.grant.count({ where })];
  return { people, grants, joined: twins.length - settled.length, settled };
}

export interface MoveOfPeople {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly sealing: RowSealing<PersonFacts>;
  readonly at: Date;
  readonly by: string;
}

/**
 * Moves the people and grants of one issuer to another, in one transaction: ids, plans, snapshots and records stay. Web
 * sessions of people who become one end, since one of their two rows goes, and its sessions with it. Throws `seal/broken`, and moves
 * nobody, where the row of one of them is not as Nightkeep left it.
 */
export async function saveMove(
  database: Database,
  { from, to, reason, sealing, at, by }: MoveOfPeople,
): Promise<MoveView> {
  return inTransaction(database, async (transaction) => {
    await transaction.$queryRaw`SELECT id FROM users WHERE issuer IN (${from}, ${to}) ORDER BY id FOR UPDATE`;
    const view = await viewMove(transaction, { from, to });
    const joined = (await listTwins(transaction, { from, to })).filter(({ settled }) => !settled);
    await transaction.user.deleteMany({ where: { id: { in: joined.map(({ id }) => id) } } });
    const where = { issuer: from, subject: { notIn: view.settled } };
    await moveUsers(transaction, where, { to, sealing });
    await transaction.grant.updateMany({ where, data: { issuer: to } });
    await transaction.circuit.updateMany({ where: { issuer: from, open: true }, data: { open: false, closedAt: at } });
    await saveEvent(transaction, 'provider', from, { from, to, reason, at, by });
    await saveAudit(transaction, { at, by, act: 'provider-moved', about: `${from} ${to}` });
    return view;
  });
}

const usersAtOnce = 500;

async function moveUsers(
  transaction: Transaction,
  where: Prisma.UserWhereInput,
  { to, sealing }: Pick<MoveOfPeople, 'to' | 'sealing'>,
): Promise<void> {
  for (;;) {
    const users = await transaction.user.findMany({ where, take: usersAtOnce });
    if (users.length === 0) return;
    const seals = users.map((user) => sealing.reseal(user, { ...user, issuer: to }));
    await transaction.$executeRaw`
      UPDATE users SET issuer = ${to}, seal = moved.seal
      FROM unnest(${users.map(({ id }) => id)}::uuid[], ${seals}::bytea[]) AS moved (id, seal) WHERE users.id = moved.id`;
  }
}

/** Whether people came to this issuer since then by a move that only its keys proved: it may refuse every token of its old name. */
export async function wasMovedByKeys(
  database: Database,
  { issuer, since }: { issuer: string; since: Date },
): Promise<boolean> {
  const where = { subjectKind: 'provider', to: issuer, at: { gt: since }, reason: { startsWith: sameKeys } };
  return (await database.event.findFirst({ where, select: { id: true } })) !== null;
}

/** People at the new issuer whose subject is one of the old issuer's too. */
function listTwins(database: Transaction, { from, to }: { from: string; to: string }): Promise<Twin[]> {
  return database.$queryRaw<Twin[]>`
    SELECT n.id, n.subject, (EXISTS (SELECT 1 FROM grants g WHERE g.user_id = n.id)
      OR EXISTS (SELECT 1 FROM repositories r WHERE r.user_id = n.id)) AS settled
    FROM users n JOIN users o ON o.subject = n.subject AND o.issuer = ${from} WHERE n.issuer = ${to} ORDER BY n.subject`;
}
