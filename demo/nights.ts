import { keepAlive, type Sweep } from '../src/flows/custody/keep-alive.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { perform } from '../worker/duties.ts';
import { duties } from '../worker/main.ts';
import type { Demo } from './demo.ts';

/** A run as it stands after a night. */
export interface NightRun {
  readonly username: string;
  readonly night: string;
  /** As in the table of runs; `queued` where it is to be tried again. */
  readonly state: string;
  readonly snapshotId: string | null;
  /** A count by its name in the table of runs; 0 where the run did not get that far. */
  count(name: string): number;
  readonly message: string | null;
  /** loss, change or root, where somebody should look at it. */
  readonly alarm: string | null;
}

const longestWaitMs = 120_000;
const lookEveryMs = 100;

/** Milliseconds until everybody whose consent may be used has had their next night; undefined where there is nobody. */
export async function untilNextNight({ resources }: Demo): Promise<number | undefined> {
  const { _max: last } = await resources.database.plan.aggregate({
    where: { paused: false, grant: { state: { in: ['active', 'suspect'] } } },
    _max: { nextDueAt: true },
  });
  return last.nextDueAt === null ? undefined : last.nextDueAt.getTime() - resources.clock.now().getTime();
}

/** Milliseconds until everything that waits has been tried again; 0 where nothing waits. */
export async function untilTriedAgain({ resources: { clock, database } }: Demo): Promise<number> {
  const { _max: last } = await database.run.aggregate({ where: { state: 'queued' }, _max: { dueAt: true } });
  return Math.max(0, (last.dueAt?.getTime() ?? 0) - clock.now().getTime());
}

/** Moves the clock on, and lets Nightkeep do what is due by then: its worker looks at the times of the machine's clock, which no demo moves. */
export async function passTime(demo: Demo, ms: number): Promise<{ runs: NightRun[]; keptAlive: Sweep }> {
  demo.advance(ms);
  const since = demo.resources.clock.now();
  await openNight(demo.resources);
  // Before what waits is tried again: a provider in trouble is probed by this, and every run would be put off before it.
  const keptAlive = await keepAlive(demo.resources);
  await queueDue(demo.resources);
  const runs = await settledRuns(demo, since);
  const { signal } = new AbortController();
  for (const duty of duties) await perform(demo.resources, duty, signal);
  return { runs, keptAlive };
}

/** The queue delays what is tried again by the machine's clock, which no demo moves. */
async function queueDue({ clock, database, queues }: Demo['resources']): Promise<void> {
  const due = await database.run.findMany({ where: { state: 'queued', dueAt: { lte: clock.now() } } });
  await queues.backUps.enqueue(due.map(({ id, fence }) => ({ runId: id, attempt: fence, now: true })));
}

/** The runs that were queued or ended since, once none is running or due; after two minutes whatever their state. */
export async function settledRuns({ resources: { clock, database, queues } }: Demo, since: Date): Promise<NightRun[]> {
  const begun = clock.elapsed();
  for (;;) {
    const due = { state: 'queued' as const, dueAt: { lte: clock.now() } };
    const rows = await database.run.findMany({
      where: { OR: [{ queuedAt: { gte: since } }, { finishedAt: { gte: since } }, { state: 'running' }, due] },
      include: { plan: { select: { user: { select: { username: true } } } } },
      orderBy: { queuedAt: 'asc' },
    });
    const now = clock.now();
    // After a run its worker may still be letting snapshots go, and holds the repository meanwhile.
    const { active } = await queues.backUps.counts();
    const open = rows.some(({ state, dueAt }) => state === 'running' || (state === 'queued' && dueAt <= now));
    if ((!open && active === 0) || clock.elapsed() - begun > longestWaitMs)
      return rows.map(({ plan, counts, ...row }) => ({
        ...row,
        username: plan.user.username ?? '',
        count: (name) => numberIn(counts, name),
      }));
    await clock.sleep(lookEveryMs);
  }
}

function numberIn(counts: unknown, name: string): number {
  const value: unknown = typeof counts === 'object' && counts !== null ? Reflect.get(counts, name) : undefined;
  return typeof value === 'number' ? value : 0;
}
