import { piecesOf } from '../../pieces.ts';
import { isUuid } from '../../uuid.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** The plans of one person, or of everybody, whose grants may be used, in the order of their ids. */
export async function* eachPlanForCommand(database: Database, userId: string | undefined) {
  for (let after = beforeAll; ; ) {
    const plans = await listPlansForCommand(database, { userId, after, limit: page });
    yield* plans;
    const last = plans.at(-1);
    if (last === undefined || plans.length < page) return;
    after = last.id;
  }
}

const page = 1_000;
const beforeAll = '00000000-0000-0000-0000-000000000000';

function listPlansForCommand(
  database: Database,
  { userId, after, limit }: { userId: string | undefined; after: string; limit: number },
) {
  return database.plan.findMany({
    where: {
      id: { gt: after },
      grant: { state: { in: ['active', 'suspect'] } },
      ...(userId === undefined ? {} : { userId }),
    },
    select: { id: true, user: { select: { id: true, username: true, subject: true } } },
    orderBy: { id: 'asc' },
    take: limit,
  });
}

/** What an operator sees of these runs, in the order in which they were queued. */
export async function listRunsForCommand(database: Database, ids: readonly string[]) {
  const runs = await ofMany(ids, (some) => readRuns(database, some));
  return runs.toSorted(
    (one, other) => one.queuedAt.getTime() - other.queuedAt.getTime() || (one.id < other.id ? -1 : 1),
  );
}

function readRuns(database: Database, ids: string[]) {
  return database.run.findMany({
    where: { id: { in: ids } },
    select: {
      id: true,
      queuedAt: true,
      night: true,
      trigger: true,
      state: true,
      attempt: true,
      dueAt: true,
      triedUntil: true,
      snapshotId: true,
      counts: true,
      problemCount: true,
      message: true,
    },
  });
}

/** Whose these runs are, and of which night; those that are none are left out. */
export async function listOwnersOfRuns(database: Database, ids: readonly string[]) {
  const rows = await ofMany(ids.filter(isUuid), (some) =>
    database.run.findMany({
      where: { id: { in: some } },
      select: {
        id: true,
        night: true,
        attempt: true,
        plan: { select: { user: { select: { id: true, username: true, subject: true } } } },
      },
    }),
  );
  return new Map(rows.map(({ id, night, attempt, plan: { user } }) => [id, { night, tries: attempt, user }]));
}

/** A statement of PostgreSQL takes 65,535 values. */
const idsAtOnce = 10_000;

async function ofMany<Row>(ids: readonly string[], read: (ids: string[]) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const some of piecesOf(ids, idsAtOnce)) for (const row of await read([...some])) rows.push(row);
  return rows;
}

/** At most two people of that user name, subject or id: a command wants exactly one. */
export async function findUsersByName(database: Database, name: string) {
  const isId = isUuid(name) ? Prisma.sql`OR id = ${name}::uuid` : Prisma.empty;
  // Each has an index of its own: see the migration many_plans for the first.
  return database.$queryRaw<{ id: string; issuer: string; username: string | null; subject: string }[]>`
    SELECT id, issuer, username, subject FROM users
    WHERE (coalesce(username, subject) = ${name} OR subject = ${name} ${isId}) LIMIT 2`;
}
