import type { AgreedRuleFacts, ErasureFacts, PersonFacts, PlaceFacts, PlanFacts } from '../../domain/row-facts.ts';
import type { Database, Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** What is sealed in the database. Each kind is bound to a purpose of its own. */
export type SealedKind = 'offline tokens' | 'DPoP keys' | 'recovery keys' | BoundKind;

/** Those that also vouch for facts of their row. */
export type BoundKind = keyof BoundFacts;

interface BoundFacts {
  'repository passwords': PlaceFacts;
  people: PersonFacts;
  plans: PlanFacts;
  'requests to erase': ErasureFacts;
  'retention rules': AgreedRuleFacts;
}

/** One sealed value and its owner. */
export interface SealedValue {
  /** The grant, the repository, the person or the plan. */
  id: string;
  userId: string;
  /** The generation of an offline token; 0 for the other kinds. */
  number: number;
  sealed: Uint8Array<ArrayBuffer>;
  /** What it vouches for, of a `BoundKind`. */
  facts: unknown;
}

interface Place {
  table: Prisma.Sql;
  id: Prisma.Sql;
  userId: Prisma.Sql;
  number: Prisma.Sql;
  sealed: Prisma.Sql;
  /** The id of its key. */
  keyId: Prisma.Sql;
  /** Sets that id. */
  setKeyId: (keyId: string) => Prisma.Sql;
  facts?: Prisma.Sql;
}

const { raw, sql, empty } = Prisma;
const keyColumn = (name: string) => ({
  keyId: raw(`t.${name}`),
  setKeyId: (keyId: string) => sql`, ${raw(name)} = ${keyId}`,
});

const keyInHeader = (name: string) => ({
  keyId: raw(`convert_from(substring(t.${name} FROM 3 FOR get_byte(t.${name}, 1)), 'UTF8')`),
  setKeyId: () => empty,
});

/** Every column that holds sealed values. Some have no column for the id of their key, which is in their header. */
const places: Record<SealedKind, Place> = {
  'offline tokens': {
    table: raw('token_generations'),
    id: raw('t.grant_id'),
    userId: raw('(SELECT user_id FROM grants WHERE grants.id = t.grant_id)'),
    number: raw('t.number'),
    sealed: raw('sealed'),
    ...keyColumn('key_id'),
  },
  'DPoP keys': { ...ofRow('grants'), sealed: raw('sealed_dpop_key'), ...keyColumn('dpop_key_id') },
  'repository passwords': {
    ...ofRow('repositories'),
    sealed: raw('sealed_password'),
    ...keyColumn('key_id'),
    facts: raw("jsonb_build_object('id', t.id, 'userId', t.user_id, 'location', t.location, 'store', t.store)"),
  },
  'recovery keys': {
    ...ofRow('repositories'),
    sealed: raw('sealed_recovery_key'),
    ...keyInHeader('sealed_recovery_key'),
  },
  people: {
    ...ofRow('users'),
    userId: raw('t.id'),
    sealed: raw('seal'),
    ...keyInHeader('seal'),
    facts: raw(
      "jsonb_build_object('id', t.id, 'issuer', t.issuer, 'subject', t.subject, 'username', t.username, 'claims', t.claims)",
    ),
  },
  plans: {
    ...ofRow('plans'),
    sealed: raw('seal'),
    ...keyInHeader('seal'),
    facts: raw("jsonb_build_object('userId', t.user_id, 'grantId', t.grant_id, 'sources', t.sources)"),
  },
  'requests to erase': {
    ...ofRow('repositories'),
    sealed: raw('erase_seal'),
    ...keyInHeader('erase_seal'),
    facts: raw("jsonb_build_object('id', t.id, 'userId', t.user_id, 'eraseAt', t.erase_at)"),
  },
  'retention rules': {
    ...ofRow('plans'),
    sealed: raw('retention_seal'),
    ...keyInHeader('retention_seal'),
    facts: raw(
      "jsonb_build_object('id', t.id, 'userId', t.user_id, 'retention', t.retention, 'retentionAgreedAt', t.retention_agreed_at)",
    ),
  },
};

function ofRow(table: string) {
  return { table: raw(table), id: raw('t.id'), userId: raw('t.user_id'), number: raw('0') };
}

/** Every kind of value in the database that is sealed with the keyring. */
export const sealedKinds: readonly SealedKind[] = [
  'offline tokens',
  'DPoP keys',
  'repository passwords',
  'recovery keys',
  'people',
  'plans',
  'requests to erase',
  'retention rules',
];

export interface SealedPage {
  keyIds: string[];
  after: Pick<SealedValue, 'id' | 'number'>;
  limit: number;
}

/** Where a list begins. */
export const beforeAll = { id: '00000000-0000-0000-0000-000000000000', number: -1 };

/** Values that are sealed under one of these keys, by id and number, from `after` on. */
export async function listSealed(
  database: Database,
  kind: SealedKind,
  { keyIds, after, limit }: SealedPage,
): Promise<SealedValue[]> {
  const { table, id, userId, number, sealed, keyId, facts = raw('NULL') } = places[kind];
  return database.$queryRaw<SealedValue[]>`
    SELECT ${id} AS id, ${userId} AS "userId", ${number} AS number, t.${sealed} AS sealed, ${facts} AS facts FROM ${table} t
    WHERE ${keyId} = ANY(${keyIds}) AND t.${sealed} IS NOT NULL
      AND (${id}, ${number}) > (${after.id}::uuid, ${after.number}::int)
    ORDER BY 1, 3 LIMIT ${limit}`;
}

/** A row whose facts are vouched for; `sealed` is null where they never were. */
export interface BoundRow<Kind extends BoundKind> {
  id: string;
  userId: string;
  number: number;
  facts: BoundFacts[Kind];
  sealed: Uint8Array<ArrayBuffer> | null;
}

/** Every row of such a kind, or those of one person, by id, from `after` on. */
export async function listBound<Kind extends BoundKind>(
  database: Transaction,
  kind: Kind,
  { after, limit, of = null }: { after: string; limit: number; of?: string | null },
): Promise<BoundRow<Kind>[]> {
  const { table, id, userId, number, sealed, facts = raw('NULL') } = places[kind];
  return database.$queryRaw<BoundRow<Kind>[]>`
    SELECT ${id} AS id, ${userId} AS "userId", ${number} AS number, t.${sealed} AS sealed, ${facts} AS facts FROM ${table} t
    WHERE ${id} > ${after}::uuid AND (${of}::uuid IS NULL OR ${userId} = ${of}::uuid)
    ORDER BY 1 LIMIT ${limit}`;
}

/** The people of these ids, or all, from `after` on, with the rows of theirs that a mark tells the age of; grants that ended lack. */
export async function listRowsOfPeople(
  database: Database,
  { userIds, after, limit }: { userIds: readonly string[] | null; after: string; limit: number },
) {
  return database.user.findMany({
    where: { id: { gt: after, ...(userIds && { in: [...userIds] }) } },
    orderBy: { id: 'asc' },
    take: limit,
    include: {
      plans: true,
      repository: true,
      grants: { where: { state: { not: 'withdrawn' } }, select: { id: true, generation: true } },
    },
  });
}

export interface Resealed {
  seen: Pick<SealedValue, 'id' | 'number'> & { sealed: Uint8Array<ArrayBuffer> | null };
  /** The same value, resealed. */
  sealed: Uint8Array<ArrayBuffer>;
}

/**
 * Replaces values by their resealed ones where they have not changed; returns how many. Skips rows that another transaction
 * holds.
 */
export async function replaceSealed(
  database: Transaction,
  kind: SealedKind,
  { keyId, values }: { keyId: string; values: readonly Resealed[] },
): Promise<number> {
  const { table, id, number, sealed, setKeyId } = places[kind];
  const column = <T>(pick: (value: Resealed) => T) => values.map(pick);
  return database.$executeRaw`
    WITH fresh AS (
      SELECT * FROM unnest(${column(({ seen }) => seen.id)}::uuid[], ${column(({ seen }) => seen.number)}::int[],
        ${column(({ seen }) => seen.sealed)}::bytea[], ${column((value) => value.sealed)}::bytea[])
        AS fresh (id, number, seen, sealed)
    ), held AS (
      SELECT fresh.* FROM ${table} t JOIN fresh ON ${id} = fresh.id AND ${number} = fresh.number
        AND t.${sealed} IS NOT DISTINCT FROM fresh.seen
      FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE ${table} t SET ${sealed} = held.sealed ${setKeyId(keyId)} FROM held
    WHERE ${id} = held.id AND ${number} = held.number AND t.${sealed} IS NOT DISTINCT FROM held.seen`;
}

export interface SealedCount {
  kind: SealedKind;
  keyId: string;
  count: number;
}

/** How much of each kind is sealed under each key. Reads every sealed row. */
export async function countSealed(database: Database): Promise<SealedCount[]> {
  const counts = sealedKinds.map((kind) => {
    const { table, sealed, keyId } = places[kind];
    return database.$queryRaw<SealedCount[]>`
      SELECT ${kind} AS kind, ${keyId} AS "keyId", count(*)::int AS count FROM ${table} t
      WHERE t.${sealed} IS NOT NULL GROUP BY ${keyId}`;
  });
  return (await Promise.all(counts)).flat();
}
