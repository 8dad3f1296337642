import { hourMs, minuteMs } from '../../durations.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import type { Prisma } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';

/** A restore to the source, as its person sees it. */
export interface RestoreView {
  readonly id: string;
  readonly snapshotId: string;
  readonly path: string;
  /** lost: whoever wrote it is gone. */
  readonly state: 'asked' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'lost';
  readonly folder: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cancelledAt: Date | null;
  readonly files: number;
  readonly bytes: number;
  readonly expectedFiles: number | null;
  readonly expectedBytes: number | null;
  readonly problems: unknown;
  readonly problemCount: number;
  readonly message: string | null;
  /** The code of that. */
  readonly errorCode: string | null;
}

/** A process that is silent for this long has ended. */
const silentMs = minuteMs;

interface Asked {
  readonly id: string;
  readonly userId: string;
  readonly snapshotId: string;
  readonly path: string;
  readonly expected: { readonly files: number; readonly bytes: number } | undefined;
  /** Where an earlier one wrote to, if that is continued. */
  readonly folder?: string | null | undefined;
  readonly at: Date;
}

/** Longer than any browser carries what it began to the provider and back. */
const unansweredMs = hourMs;

/** Puts on record what somebody wants restored; what they asked for long before and did not go on with is forgotten. */
export async function askForRestore(database: Database, asked: Asked): Promise<void> {
  const { id, userId, snapshotId, path, expected, folder, at } = asked;
  const askedAt = { lt: new Date(at.getTime() - unansweredMs) };
  await database.restore.deleteMany({ where: { userId, state: 'asked', askedAt } });
  const sums = expected && { expectedFiles: expected.files, expectedBytes: expected.bytes };
  await database.restore.create({
    data: { id, userId, snapshotId, path, askedAt: at, folder: folder ?? null, ...sums },
  });
}

/**
 * Begins it, once; false where it was begun before or forgotten, or another of the person's is being written: two that continue the same one would
 * write everything twice. This one has failed then.
 */
export async function startRestore(
  database: Database,
  { id, userId, at }: { id: string; userId: string; at: Date },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    if ((await transaction.restore.count({ where: { userId, ...beingWritten(at) } })) > 0) {
      const failed = { state: 'failed', finishedAt: at, message: anotherRuns } as const;
      await transaction.restore.updateMany({ where: { id, userId, state: 'asked' }, data: failed });
      return false;
    }
    const begun = { state: 'running', startedAt: at, toldAt: at } as const;
    const { count } = await transaction.restore.updateMany({ where: { id, userId, state: 'asked' }, data: begun });
    if (count === 0) return false;
    const { snapshotId } = await transaction.restore.findUniqueOrThrow({ where: { id }, select: { snapshotId: true } });
    const about = `snapshot ${snapshotId.slice(0, 8)} to the source`;
    await saveAudit(transaction, { at, by: `user:${userId}`, act: 'files-restored', userId, about });
    return true;
  });
}

const anotherRuns = 'Another restore was running. Once it has ended, begin this one again.';

/** Says how far it is; whether it shall go on. */
export async function tellRestore(
  database: Database,
  id: string,
  told: { folder: string | null; files: number; bytes: number; at: Date },
): Promise<boolean> {
  const { at: toldAt, ...rest } = told;
  const [row] = await database.restore.updateManyAndReturn({
    where: { id, state: 'running' },
    data: { ...rest, toldAt },
    select: { cancelledAt: true },
  });
  return row !== undefined && row.cancelledAt === null;
}

/** Ends it with what came of it. */
export async function endRestore(
  database: Database,
  id: string,
  end: Pick<RestoreView, 'files' | 'bytes' | 'problemCount' | 'message' | 'errorCode'> & {
    state: 'succeeded' | 'partial' | 'failed' | 'cancelled';
    folder: string | null;
    problems: Prisma.InputJsonValue;
    at: Date;
  },
): Promise<void> {
  const { at: finishedAt, ...rest } = end;
  await database.restore.updateMany({
    where: { id, state: { in: ['asked', 'running'] } },
    data: { ...rest, finishedAt },
  });
}

/** Asks whoever writes it to stop. */
export async function cancelRestore(
  database: Database,
  { id, userId, at }: { id: string; userId: string; at: Date },
): Promise<void> {
  await database.restore.updateMany({
    where: { id, userId, state: 'running', cancelledAt: null },
    data: { cancelledAt: at },
  });
}

/** A restore of the person; null where there is none. */
export async function findRestore(
  database: Database,
  { id, userId, now }: { id: string; userId: string; now: Date },
): Promise<RestoreView | null> {
  const row = await database.restore.findFirst({ where: { id, userId } });
  return row && viewOf(row, now);
}

/** The restore of the person that is being written now; null where there is none. */
export async function findRunningRestore(
  database: Database,
  { userId, now }: { userId: string; now: Date },
): Promise<RestoreView | null> {
  const row = await database.restore.findFirst({ where: { userId, ...beingWritten(now) } });
  return row && viewOf(row, now);
}

/** Restores that some process writes now. */
export function beingWritten(now: Date) {
  return { state: 'running', toldAt: { gte: new Date(now.getTime() - silentMs) } } as const;
}

type Row = NonNullable<Awaited<ReturnType<Database['restore']['findFirst']>>>;

function viewOf({ userId: _, askedAt: __, toldAt, bytes, expectedBytes, state, ...row }: Row, now: Date): RestoreView {
  const isLost = state === 'running' && (toldAt?.getTime() ?? 0) < now.getTime() - silentMs;
  return {
    ...row,
    state: isLost ? 'lost' : state,
    bytes: Number(bytes),
    expectedBytes: expectedBytes === null ? null : Number(expectedBytes),
  };
}
