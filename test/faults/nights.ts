import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Fault } from '../../demo/provider/faults/faults.ts';
import { endSilentExchanges } from '../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../src/database/custody/leases.ts';
import type { Run } from '../../src/database/generated/client.ts';
import { listQueuedRuns } from '../../src/database/nights/queued-runs.ts';
import { keepAlive } from '../../src/flows/custody/keep-alive.ts';
import { replaySpool } from '../../src/flows/custody/spool-answer.ts';
import { healRuns } from '../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../src/flows/nights/open-night.ts';
import { openProcessState, type Resources } from '../../src/resources.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { rememberingQueues } from '../support/fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../support/fixtures/repository.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { type FaultFixture, openFaultFixture } from '../support/harness/faults.ts';
import { file, folder, startHostileWebdav } from '../support/servers/hostile-webdav.ts';
import type { Done, Order, Station } from './night-worker.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const healEveryMs = 10 * minute;
const keepAliveEveryMs = hour;

/** A night that brought no snapshot, and why. */
export interface LostNight {
  readonly night: string;
  readonly state: string;
  readonly openedAt: Date;
  readonly finishedAt: Date | null;
  readonly triedUntil: Date;
  /** The longest time between the night's opening and its end in which no exchange of the person went wrong, made or not. */
  readonly quietMs: number;
  /** When each exchange began, and what came of it. */
  readonly exchanges: readonly string[];
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly tries: number;
}

export interface Nights extends AsyncDisposable {
  readonly world: FaultFixture;
  /** How often a worker was killed so far. */
  readonly kills: number;
  /** Everybody consents, before anything goes wrong. */
  begin(): Promise<void>;
  /** From noon to noon: planners, keep-alive, healing, two workers, and as many kills of a worker in the middle of a run. */
  pass(options: { kills: number; random: () => number }): Promise<void>;
  /** From here on this share of exchanges is faulty. */
  harm(share: number): void;
  /** How many nights there were, and those without a snapshot. */
  nights(): Promise<{ count: number; retried: number; lost: LostNight[] }>;
}

/** None of them proves that a token is gone (`invalid_grant` is a false refusal here): after such a proof no correct client could continue. */
const faulty: readonly Fault[] = [
  { kind: 'cut', when: 'before' },
  { kind: 'cut', when: 'after' },
  { kind: 'truncated' },
  { kind: 'status', when: 'before', status: 500 },
  { kind: 'status', when: 'after', status: 502 },
  { kind: 'status', when: 'before', status: 503, retryAfter: '31536000' },
  { kind: 'status', when: 'before', status: 429, retryAfter: '600' },
  { kind: 'page', when: 'before', status: 502 },
  { kind: 'page', when: 'after', status: 200 },
  { kind: 'invalid_grant' },
  { kind: 'odd', part: 'token_type' },
  { kind: 'rollover' },
];

/** A process that does runs until it is killed. */
interface Worker {
  /** It was told when it dies. */
  isDoomed: boolean;
  doom(left: number): void;
  /** Does a run; whether the process outlived it. */
  work(runId: string): Promise<boolean>;
}

/** Nightkeep with two workers for some people, whose provider, clock and deaths are in the hands of the test. */
export async function openNights({
  people,
  reuse,
  seed,
}: {
  people: number;
  reuse: number;
  seed: number;
}): Promise<Nights> {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await openFaultFixture({ reuse, count: people }));
  const store = opened.use(await temporaryFolder('store'));
  const files = opened.use(
    await startHostileWebdav(folder({ 'a.txt': file('one'), sub: folder({ 'b.txt': file('two') }) })),
  );
  const { clock } = world.fixture.resources;
  let entered = 0;
  let kills = 0;
  let turn = 0;
  Object.assign(world.fixture.resources.config, { filesUrl: files.url });
  const healthy = openHealthy(world, store.path);
  const processes = new Set<ChildProcess>();
  opened.defer(() => {
    for (const child of processes) child.kill('SIGKILL');
  });

  function enter(): Worker {
    const { config, spool } = world.fixture.resources;
    entered += 1;
    const child = fork(join(import.meta.dirname, 'night-worker.ts'), { serialization: 'json', silent: true });
    processes.add(child);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (said) => world.lines.push(String(said)));
    const ended = once(child, 'close');
    const tell = (told: Station | Order) => child.send(told, () => undefined);
    tell({
      holder: `worker-${entered}`,
      databaseUrl: world.fixture.databaseUrl,
      spool: spool.folder,
      store: store.path,
      config,
      issuer: world.provider.issuer,
      publicUrl: config.publicUrl.href,
      at: clock.now().getTime(),
    });
    return {
      isDoomed: false,
      doom(left) {
        this.isDoomed = true;
        tell({ left });
      },
      work: async (runId) => {
        const answer = once(child, 'message');
        tell({ at: clock.now().getTime(), runId });
        const done: Done | undefined = await Promise.race([answer.then(([said]) => said), ended.then(() => undefined)]);
        if (done === undefined) {
          processes.delete(child);
          if (child.signalCode !== 'SIGKILL') throw new Error(world.lines.slice(-5).join('\n'));
          return false;
        }
        if (done.failure !== undefined) throw new Error(done.failure);
        world.pass(done.sleptMs);
        return true;
      },
    };
  }
  const staff = [enter(), enter()];

  async function workOn(index: number, runId: string): Promise<void> {
    const worker = staff[index] ?? enter();
    staff[index] = worker;
    if (await worker.work(runId)) return;
    kills += 1;
    staff[index] = enter();
  }

  /** Each worker takes one run after the other, as long as any is due; another worker takes the first each time. */
  async function workOnDue(): Promise<void> {
    const due = (await listQueuedRuns(healthy.database, 100)).filter(({ dueAt }) => dueAt <= clock.now());
    const waiting = due.values();
    const take = async (index: number) => {
      for (const { id } of waiting) await workOn(index, id);
    };
    turn += 1;
    await Promise.all(staff.map((_, index) => take((index + turn) % staff.length)));
  }

  async function heal(): Promise<void> {
    await replaySpool(healthy);
    const at = clock.now();
    await endSilentExchanges(healthy.database, { before: new Date(at.getTime() - silenceMs), at });
    await healRuns(healthy);
  }

  /** Time goes on to the next thing that is due. */
  async function passUntil(end: number, killAt: number[], random: () => number): Promise<void> {
    const { database } = healthy;
    let [healAt, sweepAt] = [clock.now().getTime(), clock.now().getTime()];
    for (;;) {
      const plan = await database.plan.findFirst({ orderBy: { nextDueAt: 'asc' } });
      const [run] = await listQueuedRuns(database, 1);
      const moments = [healAt, sweepAt, plan?.nextDueAt.getTime() ?? end, run?.dueAt.getTime() ?? end];
      const next = Math.min(...moments);
      if (next >= end) break;
      world.pass(Math.max(0, next - clock.now().getTime()));
      const at = clock.now().getTime();
      while ((killAt[0] ?? end) <= at) {
        killAt.shift();
        const unharmed = staff.filter(({ isDoomed }) => !isDoomed);
        const victim = unharmed[Math.floor(random() * unharmed.length)];
        victim?.doom(Math.floor(random() * 25));
      }
      if (at >= healAt) {
        await heal();
        healAt = at + healEveryMs;
      }
      if (at >= sweepAt) {
        await keepAlive(healthy);
        sweepAt = at + keepAliveEveryMs;
      }
      await openNight(healthy);
      await workOnDue();
    }
    world.pass(Math.max(0, end - clock.now().getTime()));
  }

  const noonAfter = (at: Date) => Math.ceil((at.getTime() - 12 * hour) / day) * day + 12 * hour;
  const closing = opened.move();
  return {
    world,
    get kills() {
      return kills;
    },
    begin: async () => {
      for (const [index, person] of world.people.entries()) {
        const grantId = await world.consent(person);
        // Its id says where in the window a plan has its place: the same for the same seed.
        const id = `00000000-0000-4000-8000-${String(seed % 1e9).padStart(9, '0')}${String(index).padStart(3, '0')}`;
        await healthy.database.plan.update({ where: { grantId }, data: { id } });
      }
      world.pass(noonAfter(clock.now()) - clock.now().getTime());
    },
    harm: (share) => world.provider.faults.seeded({ seed, share, among: faulty }),
    pass: async ({ kills: count, random }) => {
      const start = clock.now().getTime();
      // Windows are from 01:00 to 05:00: a kill comes at a moment in them, and then in the middle of whatever is done.
      const killAt = Array.from({ length: count }, () => start + 12 * hour + random() * 4 * hour).sort((a, b) => a - b);
      await passUntil(start + day, killAt, random);
    },
    nights: async () => {
      const runs = await healthy.database.run.findMany({ where: { slot: 'night' } });
      const lost = runs.filter(({ state }) => state !== 'succeeded' && state !== 'partial');
      return {
        count: runs.length,
        retried: runs.filter(({ fence }) => fence > 1).length,
        lost: await Promise.all(lost.map((run) => lostNightOf(healthy.database, run))),
      };
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function lostNightOf(database: Resources['database'], run: Run): Promise<LostNight> {
  const { planId, night, state, queuedAt: openedAt, finishedAt, triedUntil, errorCode, message, attempt: tries } = run;
  const exchanges = await database.exchange.findMany({
    where: { grant: { plans: { some: { id: planId } } }, startedAt: { gte: openedAt, lte: triedUntil } },
    orderBy: { startedAt: 'asc' },
  });
  const faulty = exchanges.filter(({ verdict }) => verdict !== 'ok').map(({ startedAt }) => startedAt.getTime());
  const marks = [openedAt.getTime(), ...faulty, triedUntil.getTime()];
  const quietMs = Math.max(...marks.slice(1).map((mark, index) => mark - (marks[index] ?? mark)));
  const told = exchanges.map(({ startedAt, purpose, verdict }) => `${startedAt.toISOString()} ${purpose} ${verdict}`);
  return {
    night,
    state,
    openedAt,
    finishedAt,
    triedUntil,
    errorCode,
    message,
    tries,
    quietMs,
    exchanges: told,
  };
}

/** The process that plans, heals and keeps alive; nothing happens to it. */
function openHealthy(world: FaultFixture, store: string): Resources {
  const part = {
    ...world.enter('healthy'),
    queues: rememberingQueues([]),
    scrypt: cheapScryptCosts,
    places: async () => [],
    store: (location: string) => openLocalBackend(join(store, location)),
  };
  return { ...part, ...openProcessState(part) };
}
