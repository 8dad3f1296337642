import type { Database } from '../client.ts';

/** What is on record of the exports of Nightkeep's own state into the store. */
export interface StateExportRecord {
  /** The moment that the newest one shows; null: there is none yet. */
  readonly madeAt: Date | null;
  /** Why none could be made since. */
  readonly errorCode: string | null;
  readonly bytes: number;
  /** How many there were in the store then, and how many of them should have gone and could not. */
  readonly kept: number;
  readonly overdue: number;
}

/** What makes an export due: there is none since, or somebody was erased or another key was put in front since the newest one. */
interface Due {
  readonly at: Date;
  readonly leaseUntil: Date;
  readonly since: Date;
  readonly keyId: string;
  /** One that failed is not tried again when it was tried later than then. */
  readonly triedBefore: Date;
}

/** Takes it upon this process to make an export, where one is due; false where none is, or another process makes one. */
export async function claimDueStateExport(
  database: Database,
  { at, leaseUntil, since, keyId, triedBefore }: Due,
): Promise<boolean> {
  const claimed = await database.$executeRaw`
    INSERT INTO state_exports AS e (id, tried_at, lease_until) VALUES (1, ${at}, ${leaseUntil})
    ON CONFLICT (id) DO UPDATE SET tried_at = ${at}, lease_until = ${leaseUntil}
    WHERE (e.lease_until IS NULL OR e.lease_until <= ${at}) AND (e.error_code IS NULL OR e.tried_at <= ${triedBefore})
      AND (e.made_at IS NULL OR e.made_at < ${since} OR e.key_id <> ${keyId}
        OR e.made_at <= (SELECT max(finished_at) FROM person_erasures))`;
  return claimed > 0;
}

/** The same whether one is due or not; false where another process makes one. */
export async function claimStateExport(
  database: Database,
  { at, leaseUntil }: Pick<Due, 'at' | 'leaseUntil'>,
): Promise<boolean> {
  const claimed = await database.$executeRaw`
    INSERT INTO state_exports AS e (id, tried_at, lease_until) VALUES (1, ${at}, ${leaseUntil})
    ON CONFLICT (id) DO UPDATE SET tried_at = ${at}, lease_until = ${leaseUntil}
    WHERE e.lease_until IS NULL OR e.lease_until <= ${at}`;
  return claimed > 0;
}

/** Puts on record what became of the export that was claimed last: what it is, or why there is none. */
export async function saveStateExport(
  database: Database,
  outcome: (Omit<StateExportRecord, 'errorCode'> & { readonly keyId: string }) | { readonly errorCode: string | null },
): Promise<void> {
  await database.stateExport.updateMany({ data: { errorCode: null, ...outcome, leaseUntil: null } });
}

/** What is on record; null where none was ever tried. */
export async function findStateExport(database: Database): Promise<StateExportRecord | null> {
  const row = await database.stateExport.findUnique({ where: { id: 1 } });
  return row && { ...row, bytes: Number(row.bytes) };
}

/** When the last person was erased whole: exports that were made before hold what is gone. */
export async function findLastErasure(database: Database): Promise<Date | null> {
  const { _max } = await database.personErasure.aggregate({ _max: { finishedAt: true } });
  return _max.finishedAt;
}

/** Whether any repository is in the store of the settings, as far as the database knows. */
export async function hasRepositoriesInStore(database: Database): Promise<boolean> {
  return (await database.repository.findFirst({ where: { store: null }, select: { id: true } })) !== null;
}

/** Since when there is anything to export; null as long as nobody has signed in. */
export async function findStateSince(database: Database): Promise<Date | null> {
  const { _min } = await database.user.aggregate({ _min: { createdAt: true } });
  return _min.createdAt;
}
