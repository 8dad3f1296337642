import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/database/client.ts';
import { openDueNights } from '../../src/database/nights/due-nights.ts';
import { finishRun } from '../../src/database/nights/run-ends.ts';
import { claimRun } from '../../src/database/nights/run-leases.ts';
import { startEmbeddedDatabase } from '../../src/database/server/embedded.ts';
import { migrate } from '../../src/database/server/migrate.ts';
import { parseRule } from '../../src/domain/retention/rule.ts';
import { ensurePersonRepository } from '../../src/flows/nights/ensure-person-repository.ts';
import { ownHostname } from '../../src/flows/nights/own-snapshots.ts';
import { forgetOldRecords } from '../../src/flows/records/forget-old-records.ts';
import { pruneDue } from '../../src/flows/retention/prune-due.ts';
import { retain } from '../../src/flows/retention/retain.ts';
import { silentLog } from '../../src/log.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import { type Keyring, parseKeyring } from '../../src/vault/keyring.ts';
import { agreedRuleSealing } from '../../src/vault/row-seals.ts';
import { archiveNight } from '../../test/support/fixtures/archive-night.ts';
import { manualClock } from '../../test/support/fixtures/manual-clock.ts';
import { file, folder, memorySource } from '../../test/support/fixtures/memory-source.ts';
import { rememberingQueues } from '../../test/support/fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../../test/support/fixtures/repository.ts';

const dayMs = 86_400_000;
const first = '2026-01-01T00:00:00Z';
const holder = 'bench';
const recordsKept = { runsMs: 400 * dayMs, usesMs: 400 * dayMs, eventsMs: 90 * dayMs, auditMs: 1_095 * dayMs };

export interface Growth {
  readonly nights: number;
  readonly snapshots: number;
  readonly indexFiles: number;
  readonly packs: number;
  readonly storeMB: number;
  /** Of the database before the first night, after the last, and once old records have gone. */
  readonly databaseMB: readonly [before: number, after: number, withoutOldRecords: number];
  /** Rows of runs, uses and events after the last night, and once old ones have gone. */
  readonly rows: readonly [after: number, withoutOldRecords: number];
}

/**
 * So many nights of one person with a file that changes in each and one more, the default retention, and a prune a week, on a
 * database and a store of their own. Time is passed in.
 */
export async function grow({ home, nights }: { home: string; nights: number }): Promise<Growth> {
  await using opened = new AsyncDisposableStack();
  const { url, ownerUrl } = opened.use(await startEmbeddedDatabase(join(home, 'postgres')));
  await migrate(ownerUrl);
  const database = opened.adopt(await openDatabase(url), (one) => one.$disconnect());
  const clock = manualClock(first, { sleepAtOnce: true });
  const resources = {
    clock,
    config: { recordsKept, fullWalkNights: 7, session: { idleMs: 2 * 3_600_000, maxMs: dayMs } },
    database,
    keyring: parseKeyring(`one:${randomBytes(32).toString('base64url')}`),
    lockOwner: openLockOwner(holder),
    log: silentLog,
    queues: rememberingQueues([]),
    scrypt: cheapScryptCosts,
    store: (location: string) => openLocalBackend(join(home, 'store', location)),
  };
  const { userId, grantId } = await addPerson(database, resources.keyring);
  const before = await databaseMB(database);
  await ensurePersonRepository(resources, userId);
  const top = folder({ constant: file('the same every night\n'.repeat(5_000)) });
  for (let night = 0; night < nights; night += 1) {
    top.members.changing = file(randomBytes(20_000), { validator: `${night}` });
    top.members[`note ${night}`] = file(`a note of night ${night}\n`.repeat(40));
    await passNight(resources, { userId, grantId }, top);
    await clock.advance(dayMs / 2);
    if (night % 7 === 6) await pruneDue(resources, { signal: new AbortController().signal });
    await clock.advance(dayMs / 2);
  }
  const after = [await databaseMB(database), await rowsIn(database)] as const;
  await forgetOldRecords(resources);
  await vacuum(ownerUrl);
  const location = (await database.repository.findUniqueOrThrow({ where: { userId } })).location;
  const backend = resources.store(location);
  const packs = await Array.fromAsync(backend.list('data'));
  return {
    nights,
    snapshots: (await Array.fromAsync(backend.list('snapshot'))).length,
    indexFiles: (await Array.fromAsync(backend.list('index'))).length,
    packs: packs.length,
    storeMB: megabytes(packs.reduce((sum, { size }) => sum + size, 0)),
    databaseMB: [before, after[0], await databaseMB(database)],
    rows: [after[1], await rowsIn(database)],
  };
}

type Resources = Parameters<typeof retain>[0] & Parameters<typeof ensurePersonRepository>[0];

/** A night as a worker does it: a run, an exchange, a snapshot, and what the rule lets go. */
async function passNight(
  resources: Resources,
  { userId, grantId }: { userId: string; grantId: string },
  top: ReturnType<typeof folder>,
): Promise<void> {
  const { clock, database } = resources;
  const { runIds } = await openDueNights(database, {
    at: clock.now(),
    by: holder,
    limit: 1,
    graceMs: 0,
    turnMs: 60_000,
  });
  const [runId = ''] = runIds;
  const run = await claimRun(database, { runId, holder, at: clock.now() });
  if (run === null) throw new Error('The night was not claimed.');
  const { fence } = await database.grant.update({ where: { id: grantId }, data: { fence: { increment: 1 } } });
  const use = { id: randomUUID(), grantId, generation: 1, fence, holder, purpose: 'run', runId };
  const at = clock.now();
  await database.exchange.create({ data: { ...use, startedAt: at, answeredAt: at, verdict: 'ok', status: 200 } });
  const { repository } = await ensurePersonRepository(resources, userId);
  await repository.loadIndex();
  const { snapshot, summary } = await archiveNight(repository, [memorySource(top)], {
    clock,
    hostname: ownHostname,
  });
  const counts = {
    entries: summary.total_files_processed,
    totalBytes: summary.total_bytes_processed,
    requests: 3,
    ms: 100,
  };
  await finishRun(database, {
    run,
    end: { state: 'succeeded', snapshotId: snapshot, counts },
    holder,
    at: clock.now(),
  });
  await retain(resources, { userId, signal: new AbortController().signal });
}

async function addPerson(database: Database, keyring: Keyring): Promise<{ userId: string; grantId: string }> {
  const at = new Date(first);
  const [userId, grantId] = [randomUUID(), randomUUID()];
  const who = { issuer: 'https://idp.example', subject: userId };
  const far = new Date('2200-01-01');
  await database.user.create({ data: { id: userId, ...who, createdAt: at } });
  await database.grant.create({
    data: {
      ...{ id: grantId, userId, ...who, clientId: 'nightkeep', scope: 'openid', createdAt: at },
      ...{ lastExchangedAt: at, idleDeadline: far, nextExchangeAt: far },
    },
  });
  const agreed = {
    id: randomUUID(),
    userId,
    retention: { ...parseRule('daily=7,weekly=4,monthly=12') },
    retentionAgreedAt: at,
  };
  await database.plan.create({
    data: {
      ...{
        ...agreed,
        retentionSeal: agreedRuleSealing(keyring).seal(agreed),
        grantId,
        sources: [],
        zone: 'UTC',
        windowStart: '00:00',
        windowEnd: '00:01',
      },
      ...{ nextNight: '2026-01-01', nextDueAt: at, createdAt: at },
    },
  });
  return { userId, grantId };
}

async function databaseMB(database: Database): Promise<number> {
  const [row] = await database.$queryRaw<[{ bytes: number }]>`
    SELECT pg_database_size(current_database())::float8 AS bytes`;
  return megabytes(row.bytes);
}

async function rowsIn(database: Database): Promise<number> {
  return (await database.run.count()) + (await database.exchange.count()) + (await database.event.count());
}

/** What autovacuum leaves to be used again is given back, so that it shows. */
async function vacuum(ownerUrl: string): Promise<void> {
  const database = await openDatabase(ownerUrl);
  await database.$executeRawUnsafe('VACUUM FULL').finally(() => database.$disconnect());
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 10_000) / 100;
}
