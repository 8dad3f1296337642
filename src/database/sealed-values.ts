import type { Database } from './client.ts';
import { Prisma } from './generated/client.ts';

/** What is sealed in the database. Each kind is bound to a purpose of its own. */
export type SealedKind = 'offline tokens' | 'DPoP keys' | 'repository passwords' | 'recovery keys';

/** One sealed value and its owner. */
export interface SealedValue {
  /** The grant or the repository. */
  id: string;
  userId: string;
  /** The generation of an offline token; 0 for the other kinds. */
  number: number;
  sealed: Uint8Array<ArrayBuffer>;
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
}

const { raw, sql, empty } = Prisma;
const keyColumn = (name: string) => ({
  keyId: raw(`t.${name}`),
  setKeyId: (keyId: string) => sql`, ${raw(name)} = ${keyId}`,
});

/** Every column that holds sealed values. A recovery key has no column for the id of its key, which is in its header. */
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
  'repository passwords': { ...ofRow('repositories'), sealed: raw('sealed_password'), ...keyColumn('key_id') },
  'recovery keys': {
    ...ofRow('repositories'),
    sealed: raw('sealed_recovery_key'),
    keyId: raw("convert_from(substring(t.sealed_recovery_key FROM 3 FOR get_byte(t.sealed_recovery_key, 1)), 'UTF8')"),
    setKeyId: () => empty,
  },
};

function ofRow(table: string) {
  return { table: raw(table), id: raw('t.id'), userId: raw('t.user_id'), number: raw('0') };
}

export const sealedKinds: readonly SealedKind[] = [
  'offline tokens',
  'DPoP keys',
  'repository passwords',
  'recovery keys',
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
  const { table, id, userId, number, sealed, keyId } = places[kind];
  return database.$queryRaw<SealedValue[]>`
    SELECT ${id} AS id, ${userId} AS "userId", ${number} AS number, t.${sealed} AS sealed FROM ${table} t
    WHERE ${keyId} = ANY(${keyIds}) AND t.${sealed} IS NOT NULL
      AND (${id}, ${number}) > (${after.id}::uuid, ${after.number}::int)
    ORDER BY 1, 3 LIMIT ${limit}`;
}

export interface Resealed {
  seen: SealedValue;
  /** The same value, resealed. */
  sealed: Uint8Array<ArrayBuffer>;
}

/**
 * Replaces values by their resealed ones where they have not changed; returns how many. Skips rows that another transaction
 * holds.
 */
export async function replaceSealed(
  database: Database,
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
      SELECT fresh.* FROM ${table} t JOIN fresh ON ${id} = fresh.id AND ${number} = fresh.number AND t.${sealed} = fresh.seen
      FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE ${table} t SET ${sealed} = held.sealed ${setKeyId(keyId)} FROM held
    WHERE ${id} = held.id AND ${number} = held.number AND t.${sealed} = held.seen`;
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
