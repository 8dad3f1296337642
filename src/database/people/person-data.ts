import { readActor } from '../../domain/audit.ts';
import type { Database } from '../client.ts';

/** A part of what the database holds about a person, a row at a time. */
export interface DataPart {
  readonly name: string;
  readonly rows: AsyncIterable<unknown>;
}

const batch = 500;

/**
 * Everything that the database holds about a person but secrets: sealed tokens, keys and passwords, their fingerprints, and hashes
 * of sessions. Of others nothing is said: who else did something is their kind alone.
 */
export function readPersonData(database: Database, userId: string): DataPart[] {
  const grant = { userId };
  const plan = { userId };
  const newest = { createdAt: 'asc' as const };
  return [
    { name: 'person', rows: once(() => database.user.findMany({ where: { id: userId }, omit: { seal: true } })) },
    { name: 'sessions', rows: once(() => database.webSession.findMany({ where: { userId }, omit: { id: true } })) },
    {
      name: 'consents',
      rows: inBatches((skip) =>
        database.consent.findMany({
          where: { userId },
          orderBy: [{ agreedAt: 'asc' }, { id: 'asc' }],
          take: batch,
          skip,
        }),
      ),
    },
    {
      name: 'grants',
      rows: once(() =>
        database.grant.findMany({ where: { userId }, orderBy: newest, omit: { sealedDpopKey: true, dpopKeyId: true } }),
      ),
    },
    {
      name: 'tokens',
      rows: inBatches((skip) =>
        database.tokenGeneration.findMany({
          where: { grant },
          orderBy: [{ grantId: 'asc' }, { number: 'asc' }],
          omit: { sealed: true, fingerprint: true, keyId: true },
          take: batch,
          skip,
        }),
      ),
    },
    {
      name: 'uses',
      rows: inBatches((skip) =>
        database.exchange.findMany({
          where: { grant },
          orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
          take: batch,
          skip,
        }),
      ),
    },
    {
      name: 'plans',
      rows: once(() =>
        database.plan.findMany({ where: plan, orderBy: newest, omit: { seal: true, retentionSeal: true } }),
      ),
    },
    {
      name: 'backups',
      rows: inBatches((skip) =>
        database.run.findMany({
          where: { plan },
          orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
          include: { progress: true },
          take: batch,
          skip,
        }),
      ),
    },
    {
      name: 'repositories',
      rows: once(() =>
        database.repository.findMany({
          where: { userId },
          omit: {
            ...{ sealedPassword: true, keyId: true, sealedRecoveryKey: true },
            ...{ cardKeyId: true, cardDigest: true, eraseSeal: true },
          },
        }),
      ),
    },
    {
      name: 'notices',
      rows: inBatches((skip) =>
        database.notice.findMany({
          where: { userId },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
          take: batch,
          skip,
        }),
      ),
    },
    { name: 'verification', rows: once(() => database.verification.findMany({ where: { userId } })) },
    { name: 'restores', rows: restoresOf(database, userId) },
    { name: 'events', rows: eventsOf(database, userId) },
    { name: 'audit', rows: auditOf(database, userId) },
  ];
}

async function* restoresOf(database: Database, userId: string): AsyncGenerator<unknown> {
  const rows = await database.restore.findMany({ where: { userId }, orderBy: { askedAt: 'asc' } });
  for (const { bytes, expectedBytes, ...row } of rows)
    yield { ...row, bytes: Number(bytes), expectedBytes: expectedBytes === null ? null : Number(expectedBytes) };
}

/** What events are about that are somebody's. */
const kindsOfPeople = ['user', 'session', 'grant', 'plan', 'run'] as const;

async function* eventsOf(database: Database, userId: string): AsyncGenerator<unknown> {
  const grants = await database.grant.findMany({ where: { userId }, select: { id: true } });
  const plans = await database.plan.findMany({
    where: { userId },
    select: { id: true, runs: { select: { id: true } } },
  });
  const subjects = [
    userId,
    ...grants.map(({ id }) => id),
    ...plans.flatMap(({ id, runs }) => [id, ...runs.map((run) => run.id)]),
  ];
  const rows = inBatches((skip) =>
    database.event.findMany({
      where: { subjectKind: { in: [...kindsOfPeople] }, subjectId: { in: subjects } },
      orderBy: { id: 'asc' },
      take: batch,
      skip,
    }),
  );
  for await (const { id, by, ...row } of rows) yield { id: String(id), ...row, by: actorFor(userId, by) };
}

async function* auditOf(database: Database, userId: string): AsyncGenerator<unknown> {
  const own = [`user:${userId}`, `operator:${userId}`];
  const rows = inBatches((skip) =>
    database.audit.findMany({
      where: { OR: [{ userId }, { by: { in: own } }] },
      orderBy: { id: 'asc' },
      take: batch,
      skip,
    }),
  );
  for await (const { id, by, userId: whom, ...row } of rows)
    yield { id: String(id), ...row, by: actorFor(userId, by), onYou: whom === userId };
}

function actorFor(userId: string, by: string): string {
  const { kind, id } = readActor(by);
  return id === userId ? `${kind}: you` : kind;
}

async function* once<T>(read: () => Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await read();
}

async function* inBatches<T>(read: (skip: number) => Promise<readonly T[]>): AsyncGenerator<T> {
  for (let skip = 0; ; skip += batch) {
    const rows = await read(skip);
    yield* rows;
    if (rows.length < batch) return;
  }
}
