import { type Act, type ActorKind, readActor } from '../domain/audit.ts';
import { isUuid } from '../uuid.ts';
import { type Database, inTransactionOnce, type Transaction } from './client.ts';
import type { Prisma } from './generated/client.ts';

/** Something that somebody did. */
export interface AuditEntry {
  at: Date;
  /** `user:<id>`, `operator:<id>`, `command:<user>@<machine>`, `provider`, `schedule` or `outside`. */
  by: string;
  act: Act;
  /** On whom. */
  userId?: string | undefined;
  /** On what else, or with which choice; nothing of anybody's files. */
  about?: string | undefined;
  /** Why, in the words of who did it. */
  reason?: string | undefined;
}

/**
 * Puts an act on record, in the transaction that does it where there is one. The database lets nobody change or remove it
 * (prisma/migrations/20261126043000_audit).
 */
export async function saveAudit(database: Pick<Transaction, 'audit'>, entry: AuditEntry): Promise<void> {
  const { userId = null, about = null, reason = null, ...rest } = entry;
  await database.audit.create({ data: { ...rest, userId, about, reason } });
}

/** Whether anybody with the operator's role has ever signed in. */
export async function hasOperatorSignedIn(database: Database): Promise<boolean> {
  const act: Act = 'operator-signed-in';
  return (await database.audit.findFirst({ where: { act }, select: { id: true } })) !== null;
}

/** What is looked for in the audit. */
export interface AuditFilter {
  kind?: ActorKind | undefined;
  act?: Act | undefined;
  /** Done by this person, or on them. */
  userId?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** An act as operators read it: with the names that people go by now. */
export interface AuditView {
  /** Rises with each act. */
  id: string;
  at: Date;
  by: { kind: ActorKind; id: string | null; name: string | null };
  act: string;
  /** The name is null once the person was erased. */
  user: { id: string; name: string | null } | null;
  about: string | null;
  reason: string | null;
}

/** What the audit holds, newest first; only what is older than the one with the id `before`. */
export async function listAudit(
  database: Database,
  { filter, before, limit }: { filter: AuditFilter; before?: string | undefined; limit: number },
): Promise<AuditView[]> {
  const rows = await database.audit.findMany({
    where: { ...whereOf(filter), ...(before !== undefined && { id: { lt: BigInt(before) } }) },
    orderBy: { id: 'desc' },
    take: limit,
  });
  const read = rows.map((row) => ({ ...row, actor: readActor(row.by) }));
  const ids = read.flatMap(({ actor, userId }) => [
    ...(actor.kind === 'user' || actor.kind === 'operator' ? [actor.id ?? ''] : []),
    userId ?? '',
  ]);
  const names = await namesOf(database, ids);
  return read.map(({ id, at, actor, act, userId, about, reason }) => ({
    id: String(id),
    at,
    by: { ...actor, name: names.get(actor.id ?? '') ?? null },
    act,
    user: userId === null ? null : { id: userId, name: names.get(userId) ?? null },
    about,
    reason,
  }));
}

/** Every entry that fits, newest first, a batch at a time. */
export async function* allAudit(database: Database, filter: AuditFilter): AsyncGenerator<AuditView> {
  const limit = 1_000;
  let before: string | undefined;
  for (;;) {
    const found = await listAudit(database, { filter, before, limit });
    yield* found;
    before = found.at(-1)?.id;
    if (found.length < limit) return;
  }
}

/** What was last done about the whole night. */
export interface NightSwitch {
  act: 'night-paused' | 'night-resumed';
  at: Date;
  by: AuditView['by'];
  reason: string | null;
}

/** Does the work while nobody else, in whichever process, pauses the night or lets it go on. */
export async function inSwitchesTurn<T>(database: Database, work: () => Promise<T>): Promise<T> {
  return inTransactionOnce(database, async (transaction) => {
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('the switch of the night', 0))`;
    return work();
  });
}

/** Who last paused the night or let it go on; null where nobody ever did. */
export async function findNightSwitch(database: Database): Promise<NightSwitch | null> {
  const acts = ['night-paused', 'night-resumed'] as const;
  const found = await Promise.all(acts.map((act) => listAudit(database, { filter: { act }, limit: 1 })));
  const [last] = found.flat().toSorted((one, other) => Number(other.id) - Number(one.id));
  if (last === undefined) return null;
  const { act, at, by, reason } = last;
  return { act: act === 'night-paused' ? act : 'night-resumed', at, by, reason };
}

function whereOf({ kind, act, userId, since, until }: AuditFilter): Prisma.AuditWhereInput {
  const byKind = kind && { OR: [{ by: kind }, { by: { startsWith: `${kind}:` } }] };
  const ofPerson = userId && { OR: [{ userId }, { by: { in: [`user:${userId}`, `operator:${userId}`] } }] };
  const at = { ...(since && { gte: since }), ...(until && { lt: until }) };
  return { at, ...(act && { act }), AND: [byKind ?? {}, ofPerson || {}] };
}

async function namesOf(database: Database, ids: readonly string[]): Promise<Map<string, string>> {
  const known = [...new Set(ids)].filter((id) => isUuid(id));
  if (known.length === 0) return new Map();
  const people = await database.user.findMany({
    where: { id: { in: known } },
    select: { id: true, username: true, subject: true },
  });
  return new Map(people.map(({ id, username, subject }) => [id, username ?? subject]));
}
