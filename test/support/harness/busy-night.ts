import { randomUUID } from 'node:crypto';
import type { Database } from '../../../src/database/client.ts';
import type { Prisma } from '../../../src/database/generated/client.ts';
import { addDays, nightAround } from '../../../src/domain/nights.ts';
import { dayMs } from '../../../src/durations.ts';

const zone = 'Europe/Berlin';
const given = ['Ada', 'Ben', 'Clara', 'David', 'Emma', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kira', 'Leo'];
const family = ['Ahrens', 'Brandt', 'Conrad', 'Demir', 'Engel'];
const names = family.flatMap((last) => given.map((first) => `${first} ${last}`));
const servers = ['cloud.example', 'files.example', 'nas.example', 'archive.example'];

/** How the night of the person with this number goes. */
function outcomeOf(index: number) {
  if (index % 17 === 4) return { state: 'partial', errorCode: null } as const;
  if (index % 29 === 7) return { state: 'failed', errorCode: 'source/unavailable' } as const;
  if (index % 31 === 11) return { state: 'failed', errorCode: 'source/forbidden' } as const;
  return index % 11 === 9 ? ({ state: 'running' } as const) : ({ state: 'succeeded' } as const);
}

function grantOf(index: number) {
  if (index % 13 === 5) return { state: 'needs_consent', reason: 'expired_maximum' } as const;
  if (index % 23 === 8) return { state: 'suspect', reason: null } as const;
  return index % 37 === 12 ? ({ state: 'withdrawn', reason: 'withdrawn' } as const) : ({ state: 'active' } as const);
}

/** Sixty people with a month of nights behind them and one under way. No worker finds anything to do for them. */
export async function addBusyNight(database: Database, now: Date, issuer: string): Promise<void> {
  const { date, from, to } = nightAround(zone, now);
  const later = (days: number) => new Date(now.getTime() + days * dayMs);
  const people = names.map((name, index) => ({
    name,
    index,
    userId: randomUUID(),
    grantId: randomUUID(),
    planId: randomUUID(),
  }));
  await database.user.createMany({
    data: people.map(({ name, userId }) => ({
      id: userId,
      issuer,
      subject: userId,
      name,
      username: name.toLowerCase().replace(' ', '.'),
      createdAt: later(-90),
      lastSignedInAt: later(-9),
    })),
  });
  await database.grant.createMany({
    data: people.map(({ index, userId, grantId }) => ({
      id: grantId,
      userId,
      issuer,
      subject: userId,
      clientId: 'nightkeep',
      scope: 'openid offline_access',
      lastExchangedAt: later(-1),
      idleDeadline: later(29),
      maxDeadline: later(6 + ((index * 7) % 80)),
      nextExchangeAt: later(7),
      createdAt: later(-90),
      ...grantOf(index),
    })),
  });
  await database.plan.createMany({
    data: people.map(({ index, userId, grantId, planId }) => ({
      id: planId,
      userId,
      grantId,
      sources: [{ kind: 'webdav', name: 'files', url: `https://${servers[index % servers.length]}/dav/` }],
      zone,
      windowStart: '01:00',
      windowEnd: '05:00',
      retention: {},
      nextNight: addDays(date, 1),
      nextDueAt: new Date(to.getTime() - (index % 6 === 0 ? 60_000 : -dayMs)),
      createdAt: later(-90),
    })),
  });
  const living = people.filter(({ index }) => ['active', 'suspect'].includes(grantOf(index).state));
  await database.run.createMany({ data: living.flatMap((person) => [...nightsBefore(person), tonight(person)]) });
  await database.exchange.createMany({
    data: living.flatMap(({ grantId, index }) =>
      [1, 2].map((fence) => ({
        id: randomUUID(),
        grantId,
        generation: fence,
        fence,
        holder: 'worker',
        purpose: 'run',
        startedAt: new Date(now.getTime() - ((index * 37 + fence * 300) % 1_380) * 60_000),
        answeredAt: now,
        verdict: index % 19 === 3 ? 'transient' : 'ok',
      })),
    ),
  });

  function nightsBefore({ index, planId }: (typeof people)[number]) {
    return Array.from({ length: 30 }, (_, back): Prisma.RunCreateManyInput => {
      const at = new Date(from.getTime() - back * dayMs - 10 * 3_600_000);
      const bad = (index * 13 + back * 7) % 41;
      const outage = back === 12 && index % 3 === 0;
      const state = outage || bad === 3 ? 'failed' : bad < 3 ? 'partial' : 'succeeded';
      const night = addDays(date, -back - 1);
      const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: new Date(at.getTime() + 60_000) };
      return { id: randomUUID(), planId, night, trigger: 'schedule', state, ...times };
    });
  }

  function tonight({ index, planId }: (typeof people)[number]): Prisma.RunCreateManyInput {
    const outcome = outcomeOf(index);
    const ended = outcome.state !== 'running';
    const queuedAt = new Date(from.getTime() + 60_000);
    const finishedAt = new Date(now.getTime() - ((index * 14_000) % 840_000));
    const requests = 400 + index * 9;
    return {
      id: randomUUID(),
      planId,
      night: date,
      trigger: 'schedule',
      dueAt: queuedAt,
      queuedAt,
      startedAt: new Date(finishedAt.getTime() - 45_000),
      ...(ended
        ? { finishedAt, counts: { requests, ms: requests * (40 + 70 * (index % servers.length)), bytesRead: 5e6 } }
        : { leaseHolder: `worker-${index % 2}`, leaseUntil: later(1), triedUntil: later(1), fence: 1 }),
      ...outcome,
      ...(outcome.state === 'partial' && { problemCount: 2 }),
    };
  }
}
