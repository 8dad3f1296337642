import type { Database } from './client.ts';

/** What is sealed in the database. Each kind is bound to a purpose of its own. */
export type SealedKind = 'offline tokens' | 'repository passwords' | 'recovery keys' | 'DPoP keys';

/** One sealed value, and what says whose it is. */
export interface SealedValue {
  /** The grant or the repository. */
  id: string;
  userId: string;
  /** The generation of an offline token; 0 for all else. */
  number: number;
  sealed: Uint8Array<ArrayBuffer>;
}

export interface Resealed {
  sealed: Uint8Array<ArrayBuffer>;
  keyId: string;
}

interface SealedPlace {
  /** Values that are sealed under one of these keys, in an order of their own, those after `after`. */
  list(database: Database, page: SealedPage): Promise<SealedValue[]>;
  /** Puts the value that is sealed afresh in the place of the one seen; false where that is no longer there. */
  replace(database: Database, seen: SealedValue, fresh: Resealed): Promise<boolean>;
}

export interface SealedPage {
  keyIds: string[];
  after: Pick<SealedValue, 'id' | 'number'>;
  limit: number;
}

/** Where a list begins. */
export const beforeAll = { id: '00000000-0000-0000-0000-000000000000', number: -1 };

/** Every place that holds sealed values. A recovery key has no column for its key's id: the id stands in its header. */
export const sealedPlaces: Record<SealedKind, SealedPlace> = {
  'offline tokens': {
    list: async (database, { keyIds, after, limit }) => {
      const { id, number } = after;
      const rows = await database.tokenGeneration.findMany({
        where: {
          keyId: { in: keyIds },
          sealed: { not: null },
          OR: [{ grantId: { gt: id } }, { grantId: id, number: { gt: number } }],
        },
        orderBy: [{ grantId: 'asc' }, { number: 'asc' }],
        take: limit,
        select: { grantId: true, number: true, sealed: true, grant: { select: { userId: true } } },
      });
      return rows.flatMap(({ grantId, number, sealed, grant }) =>
        sealed === null ? [] : [{ id: grantId, userId: grant.userId, number, sealed }],
      );
    },
    replace: async (database, { id, number, sealed }, fresh) => {
      const where = { grantId: id, number, sealed };
      return isOne(await database.tokenGeneration.updateMany({ where, data: fresh }));
    },
  },
  'repository passwords': {
    list: async (database, { keyIds, after, limit }) => {
      const rows = await database.repository.findMany({
        where: { keyId: { in: keyIds }, id: { gt: after.id } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true, userId: true, sealedPassword: true },
      });
      return rows.map(({ sealedPassword: sealed, ...row }) => ({ ...row, number: 0, sealed }));
    },
    replace: async (database, { id, sealed }, fresh) => {
      const data = { sealedPassword: fresh.sealed, keyId: fresh.keyId };
      return isOne(await database.repository.updateMany({ where: { id, sealedPassword: sealed }, data }));
    },
  },
  'recovery keys': {
    list: (database, { keyIds, after, limit }) => database.$queryRaw<SealedValue[]>`
      SELECT id, user_id AS "userId", 0 AS number, sealed_recovery_key AS sealed FROM repositories
      WHERE convert_from(substring(sealed_recovery_key FROM 3 FOR get_byte(sealed_recovery_key, 1)), 'UTF8') = ANY(${keyIds})
        AND id > ${after.id}::uuid
      ORDER BY id LIMIT ${limit}`,
    replace: async (database, { id, sealed }, fresh) => {
      const data = { sealedRecoveryKey: fresh.sealed };
      return isOne(await database.repository.updateMany({ where: { id, sealedRecoveryKey: sealed }, data }));
    },
  },
  'DPoP keys': {
    list: async (database, { keyIds, after, limit }) => {
      const rows = await database.grant.findMany({
        where: { dpopKeyId: { in: keyIds }, sealedDpopKey: { not: null }, id: { gt: after.id } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true, userId: true, sealedDpopKey: true },
      });
      return rows.flatMap(({ sealedDpopKey: sealed, ...row }) =>
        sealed === null ? [] : [{ ...row, number: 0, sealed }],
      );
    },
    replace: async (database, { id, sealed }, fresh) => {
      const data = { sealedDpopKey: fresh.sealed, dpopKeyId: fresh.keyId };
      return isOne(await database.grant.updateMany({ where: { id, sealedDpopKey: sealed }, data }));
    },
  },
};

export interface SealedCount {
  kind: SealedKind;
  keyId: string;
  count: number;
}

/** How much of each kind is sealed under each key. Reads every sealed row. */
export async function countSealed(database: Database): Promise<SealedCount[]> {
  return database.$queryRaw<SealedCount[]>`
    SELECT 'offline tokens' AS kind, key_id AS "keyId", count(*)::int FROM token_generations
    WHERE sealed IS NOT NULL GROUP BY key_id
    UNION ALL SELECT 'repository passwords', key_id, count(*)::int FROM repositories GROUP BY key_id
    UNION ALL SELECT 'recovery keys', key_id, count(*)::int FROM (
      SELECT convert_from(substring(sealed_recovery_key FROM 3 FOR get_byte(sealed_recovery_key, 1)), 'UTF8') AS key_id
      FROM repositories WHERE sealed_recovery_key IS NOT NULL
    ) recovery GROUP BY key_id
    UNION ALL SELECT 'DPoP keys', dpop_key_id, count(*)::int FROM grants
    WHERE sealed_dpop_key IS NOT NULL GROUP BY dpop_key_id`;
}

function isOne({ count }: { count: number }): boolean {
  return count === 1;
}
