import type { Database } from '../client.ts';

/** What takes long to count, as it was last counted. */
export interface KeptFigure {
  readonly countedAt: Date;
  /** When it is to be counted again. */
  readonly dueAt: Date;
  readonly value: unknown;
}

/** The figure of that name; null where none is kept. */
export async function findKeptFigure(database: Database, name: string): Promise<KeptFigure | null> {
  return database.keptFigure.findUnique({ where: { name } });
}

/** Keeps it in place of the one before; whoever claimed that one is done. */
export async function saveKeptFigure(
  database: Database,
  { name, value, ...times }: { name: string; value: object; countedAt: Date; dueAt: Date },
): Promise<void> {
  const data = { ...times, claimedUntil: null, value: { ...value } };
  await database.keptFigure.upsert({ where: { name }, create: { name, ...data }, update: data });
}

/** Keeps it no longer: it is counted each time from now on. */
export async function dropKeptFigure(database: Database, name: string): Promise<void> {
  await database.keptFigure.deleteMany({ where: { name } });
}

/**
 * Takes it upon this process to count the figure again that was counted then, until `until`; false where another process has, or it was
 * counted since.
 */
export async function claimKeptFigure(
  database: Database,
  { name, countedAt, at, until }: { name: string; countedAt: Date; at: Date; until: Date },
): Promise<boolean> {
  const isFree = { OR: [{ claimedUntil: null }, { claimedUntil: { lte: at } }] };
  const { count } = await database.keptFigure.updateMany({
    where: { name, countedAt, ...isFree },
    data: { claimedUntil: until },
  });
  return count === 1;
}
