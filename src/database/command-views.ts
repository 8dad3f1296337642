import type { Database } from './client.ts';

/** The plans of one person, or of everybody, whose grants may be used. */
export async function listPlansForCommand(database: Database, userId: string | undefined) {
  return database.plan.findMany({
    where: { grant: { state: { in: ['active', 'suspect'] } }, ...(userId === undefined ? {} : { userId }) },
    select: { id: true, userId: true },
    orderBy: { createdAt: 'asc' },
  });
}

/** What an operator sees of a run, or null. */
export async function findRun(database: Database, id: string) {
  return database.run.findUnique({
    where: { id },
    select: {
      id: true,
      night: true,
      trigger: true,
      state: true,
      attempt: true,
      snapshotId: true,
      counts: true,
      problemCount: true,
      message: true,
    },
  });
}

/** At most two people of that user name, subject or id: a command wants exactly one. */
export async function findUsersByName(database: Database, name: string) {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name);
  return database.user.findMany({
    where: { OR: [{ username: name }, { subject: name }, ...(isId ? [{ id: name }] : [])] },
    select: { id: true, username: true },
    take: 2,
  });
}
