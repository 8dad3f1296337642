import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { notBeingErased } from './erasures.ts';

/** Where a person's repository is, was, and is on its way to, by the addresses of stores. */
export interface RepositoryPlace {
  readonly id: string;
  readonly userId: string;
  readonly username: string | null;
  readonly subject: string;
  readonly location: string;
  /** Null: the store of the settings. */
  readonly store: string | null;
  readonly movingTo: string | null;
  readonly formerStore: string | null;
  /** When the snapshots go, where that was chosen. */
  readonly eraseAt: Date | null;
}

const page = 1_000;

/** Where every repository is, those of people who have withdrawn among them, by the names that people go by, a page at a time. */
export async function* eachRepositoryPlace(database: Database): AsyncGenerator<readonly RepositoryPlace[]> {
  for (let after: RepositoryPlace | undefined; ; ) {
    const places: RepositoryPlace[] = await listRepositoryPlaces(database, { after, limit: page });
    yield places;
    if (places.length < page) return;
    after = places.at(-1);
  }
}

/** The same for a page of people: those after that one. */
export async function listRepositoryPlaces(
  database: Database,
  { after, limit }: { after?: RepositoryPlace | undefined; limit: number },
): Promise<RepositoryPlace[]> {
  const name = Prisma.sql`coalesce(u.username, u.subject), u.id`;
  const from =
    after === undefined
      ? Prisma.sql`true`
      : Prisma.sql`(${name}) > (${after.username ?? after.subject}, ${after.userId}::uuid)`;
  return read(database, Prisma.sql`${from} ORDER BY ${name} LIMIT ${limit}`);
}

/** The same of one person; empty where there is none. */
export async function listRepositoryPlacesOf(database: Database, userId: string): Promise<RepositoryPlace[]> {
  return read(database, Prisma.sql`u.id = ${userId}::uuid`);
}

function read(database: Database, which: Prisma.Sql): Promise<RepositoryPlace[]> {
  return database.$queryRaw<RepositoryPlace[]>`
    SELECT r.id, u.id AS "userId", u.username, u.subject, r.location, r.store, r.moving_to AS "movingTo", r.former_store AS "formerStore", r.erase_at AS "eraseAt"
    FROM users u JOIN repositories r ON r.user_id = u.id
    WHERE (r.erase_at IS NULL OR r.erase_at > to_timestamp(0)) AND ${which}`;
}

/** Puts on record that files are being copied to that store, before the first one is; null: no longer. The card is due then. */
export async function saveMovingTo(database: Database, id: string, movingTo: string | null): Promise<void> {
  await database.repository.updateMany({ where: { id }, data: { movingTo, cardDigest: null } });
}

export interface Switch {
  readonly id: string;
  /** The store as the row had it when copying began, and the recovery key of that moment. */
  readonly from: string | null;
  readonly recoveryKeyFile: string | null;
  readonly to: string;
  readonly formerStore: string;
  /** The password, sealed for the new place. */
  readonly sealedPassword: Uint8Array<ArrayBuffer>;
  readonly keyId: string;
  readonly at: Date;
  readonly by: string;
}

/**
 * From now on the repository is in the other store, and the files in the former one are a copy. False, and nothing changes, where the
 * row is another by now: what was copied lacks something then.
 */
export async function switchStore(database: Database, input: Switch): Promise<boolean> {
  const { id, from, recoveryKeyFile, to, formerStore, sealedPassword, keyId, at, by } = input;
  return inTransaction(database, async (transaction) => {
    const [moved] = await transaction.repository.updateManyAndReturn({
      where: { id, store: from, movingTo: to, recoveryKeyFile, ...notBeingErased },
      data: { store: to, movingTo: null, formerStore, sealedPassword, keyId },
      select: { userId: true },
    });
    if (moved === undefined) return false;
    await saveAudit(transaction, { at, by, act: 'repository-moved', userId: moved.userId, about: to });
    return true;
  });
}

/** Puts on record that nothing is left in the former store. */
export async function saveFormerDeleted(
  database: Database,
  { id, formerStore, at, by }: { id: string; formerStore: string; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const [cleared] = await transaction.repository.updateManyAndReturn({
      where: { id, formerStore },
      data: { formerStore: null },
      select: { userId: true },
    });
    if (cleared !== undefined)
      await saveAudit(transaction, { at, by, act: 'old-copy-deleted', userId: cleared.userId, about: formerStore });
  });
}
