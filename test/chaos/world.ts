import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startCloud } from '../../demo/cloud/cloud.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { isOutage } from '../../src/database/client.ts';
import { dayMs, minuteMs } from '../../src/durations.ts';
import { isAppError } from '../../src/errors.ts';
import { heal } from '../../src/flows/heal.ts';
import { openNight } from '../../src/flows/nights/open-night.ts';
import { openLog } from '../../src/log.ts';
import { openResources, type Resources } from '../../src/resources.ts';
import { texts } from '../../src/web/texts/en.ts';
import { makeCertificate } from '../support/fixtures/certificate.ts';
import { madeUpPeople } from '../support/fixtures/made-up-people.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { type Nightkeep, nightkeep } from '../support/harness/nightkeep.ts';
import { settingsFor } from '../support/harness/settings.ts';
import { openFormsVisitor } from '../support/realms/forms-visitor.ts';
import { openHttpRelay } from '../support/servers/http-relay.ts';
import { type ProviderProcess, startProviderProcess } from '../support/servers/provider-process.ts';
import { type S3Proxy, startS3Proxy } from '../support/servers/s3proxy.ts';
import { type RunningServer, startServerProcess } from '../support/servers/server-process.ts';
import { type Machine, openNetwork } from './network.ts';
import { openPostgresPair } from './postgres-pair.ts';

const client = { id: 'nightkeep', secret: 'a secret & more' };
const workerNames = ['worker-1', 'worker-2'] as const;
export type WorkerName = (typeof workerNames)[number];
/** Milliseconds that the clocks of machines are wrong: five seconds between the workers. */
const skews: Readonly<Record<string, number>> = { 'worker-1': 2_500, 'worker-2': -2_500 };

/** Of each answer with files, so that a run lasts long enough for something to happen in it. */
const latencyMs = 150;
const filesANight = 30;

/** A request for a person's files. */
export interface FileRequest {
  readonly username: string;
  /** The machine that it came from. */
  readonly from: string;
  readonly at: Date;
}

/** Nightkeep on machines of its own, with all that it stands on, and what can be done to them. */
export interface World extends AsyncDisposable {
  /** A look at everything from a machine that nothing happens to; it also does the duties of a worker. */
  readonly resources: Resources;
  readonly provider: ProviderProcess;
  readonly s3: S3Proxy;
  readonly fileRequests: readonly FileRequest[];
  /** Processes that ended though nobody killed them, and what they said last. */
  readonly deaths: readonly string[];
  readonly usernames: readonly string[];
  /** The next night of everybody; `meanwhile` happens in it, and then all is done that is left to do. */
  night(meanwhile: () => Promise<void>): Promise<void>;
  pass(ms: number): Promise<void>;
  /** The machine of the process that calls itself so, and how wrong its clock is. */
  machineOf(holder: string): { name: string; skewMs: number };
  /** Waits until that worker works on a run, or there is none left for it. */
  untilItWorks(name: WorkerName): Promise<void>;
  killWorker(name: WorkerName): Promise<void>;
  startWorker(name: WorkerName): Promise<void>;
  restartRedis(): Promise<void>;
  restartPostgres(): Promise<void>;
  failOver(): Promise<void>;
  /** From here on the store answers 503, or answers again. */
  refuseStore(refuses: boolean): void;
  part(name: WorkerName): Promise<void>;
  mend(name: WorkerName): Promise<void>;
}

export interface Programs {
  readonly jars: string;
  readonly redis: string;
}

/** Starts everything; so many people consent on the pages, and have their first backup. */
export async function openWorld({ jars, redis: redisProgram }: Programs, count: number): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder('chaos')).path;
  const network = opened.use(await openNetwork());
  const machines = new Map<string, Machine>();
  const machine = async (name: string) => {
    const made = await network.machine(name);
    machines.set(name, made);
    return made;
  };
  const shift = { ms: 0 };
  const clockFile = join(folder, 'clock');
  /** Replaced as a whole, so that nobody reads half a number. */
  const tellClock = async () => {
    await writeFile(`${clockFile}.new`, String(shift.ms));
    await rename(`${clockFile}.new`, clockFile);
  };
  await tellClock();
  const clock = systemClock(() => shift.ms);

  const people = madeUpPeople(count);
  const webMachine = await machine('web');
  const publicUrl = new URL(`http://${webMachine.host}:3000/`);
  const providerMachine = await machine('provider');
  // Nightkeep asks a provider on another machine by https only.
  const certificate = await makeCertificate(folder, `IP:${providerMachine.host}`);
  setDefaultCACertificates([...getCACertificates('default'), certificate.cert]);
  const provider = opened.use(
    await startProviderProcess(
      {
        people,
        clients: [
          {
            ...client,
            name: 'Nightkeep',
            authentication: 'client_secret_basic',
            redirectUris: [new URL('callback', publicUrl).href],
          },
        ],
        // As docs/keycloak.md wants it: each token for one use, and for another one where the answer was lost.
        options: { refreshTokenMaxReuse: 1 },
        at: { host: providerMachine.host, tls: certificate },
      },
      providerMachine,
    ),
  );
  const { issuer } = provider;
  const cloud = opened.adopt(await startCloud({ issuer, people, clock, at: network }), (one) => one.stop());
  const files = opened.use(await openHttpRelay(cloud.url, latencyMs, network));
  const fileRequests: FileRequest[] = [];
  files.decide(({ path, from }) => {
    const username = /^\/dav\/files\/([^/]+)\//.exec(path)?.[1];
    const name = [...machines.values()].find(({ host }) => from.endsWith(host))?.name ?? from;
    if (username !== undefined) fileRequests.push({ username, from: name, at: clock.now() });
    return 'pass';
  });

  const s3 = opened.use(await startS3Proxy(jars, await machine('s3')));
  const store = opened.use(await openHttpRelay(s3.url, 0, network));
  const redisMachine = await machine('redis');
  let redis: RunningServer = await startRedis(redisProgram, redisMachine);
  opened.defer(() => redis.stop());
  const [pgOne, pgTwo] = [await machine('postgres-1'), await machine('postgres-2')];
  const postgresFolder = join(folder, 'postgres');
  await mkdir(postgresFolder);
  const postgres = opened.use(await openPostgresPair(postgresFolder, [pgOne, pgTwo]));

  const settings = {
    ...settingsFor({ folder, publicUrl, issuer, clientId: client.id }),
    FILES_URL: cloud.filesUrl.replace(cloud.url, files.origin),
    STORE_URL: `s3://backups/nightkeep?endpoint=${store.origin}&region=us-east-1&style=path`,
    STORE_KEYS: `${s3.accessKeyId} ${s3.secretAccessKey}`,
    OIDC_CLIENT_SECRET: client.secret,
    DATABASE_URL: postgres.url,
    REDIS_URL: `redis://${redisMachine.host}:6379`,
    // All snapshots stay, so that they can be counted.
    RETENTION: 'all',
    STATE_EXPORTS: '0',
    CONCURRENCY: '3',
    GRACE_SECONDS: '5',
  };
  const holders = new Map<number, string>();
  const deaths: string[] = [];
  const doomed = new Set<number>();
  const start = async (name: string, role: string, changes: Environment = {}): Promise<Nightkeep> => {
    const { prefix, host } = machines.get(name) ?? (await machine(name));
    const home = join(folder, name);
    await mkdir(home, { recursive: true });
    const own = {
      ...settings,
      ...changes,
      DATA_DIR: home,
      HOST: host,
      NODE_EXTRA_CA_CERTS: certificate.certFile,
      NODE_OPTIONS: `--import=${new URL('moved-date.ts', import.meta.url).href}`,
      CHAOS_CLOCK: clockFile,
      CHAOS_SKEW: String(skews[name] ?? 0),
    };
    const process = nightkeep(role === 'migrate' ? ['migrate'] : ['start', '--roles', role], own, home, prefix);
    holders.set(process.pid, name);
    if (role === 'migrate') return process;
    void process.ended.then((last) => {
      if (doomed.has(process.pid) || lacksOthers(last)) return;
      deaths.push(`${name} ended with ${last.code}: ${last.stderr.slice(-2_000)}`);
    });
    return process;
  };
  const end = async (process: Nightkeep) => {
    doomed.add(process.pid);
    process.signal('SIGKILL');
    await process.ended;
  };
  const migrated = await (await start('web', 'migrate')).ended;
  if (migrated.code !== 0) throw new Error(migrated.stderr);

  const processes = new Map<string, Nightkeep>();
  /** Starts it again while what it stands on is away, as whatever starts a service does (`restart:` of compose, systemd). */
  const begin = async (name: string, role: string, changes?: Environment) => {
    for (const since = performance.now(); ; await sleep(1_000)) {
      const process = await start(name, role, changes);
      processes.set(name, process);
      const error = await process.started().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (error === undefined) return;
      if (performance.now() - since > 2 * minuteMs || !lacksOthers(process)) throw error;
    }
  };
  opened.defer(async () => void (await Promise.all([...processes.values()].map(end))));
  await Promise.all([begin('web', 'web', { PORT: '3000' }), ...workerNames.map((name) => begin(name, 'worker'))]);

  const log = openLog({ clock, level: 'error', write: () => undefined });
  const resources = opened.use(
    await openResources(readConfig({ ...settings, DATA_DIR: join(folder, 'look') }), { clock, log }),
  );
  const { database } = resources;
  const pass = async (ms: number) => {
    if (ms <= 0) return;
    await provider.shift(ms);
    shift.ms += ms;
    await tellClock();
    // Every process looks at the file twenty times a second.
    await sleep(150);
  };
  const machineOf = (holder: string) => {
    const name = holders.get(Number(holder.split('/').at(-2))) ?? 'look';
    return { name, skewMs: skews[name] ?? 0 };
  };
  const isAlive = (holder: string | null) => {
    const pid = Number(holder?.split('/').at(-2));
    return holders.has(pid) && !doomed.has(pid);
  };

  /** What every worker does now and then, from a machine that is well; the queue counts its delays in real time. */
  async function duties(): Promise<void> {
    await openNight(resources);
    await heal(resources);
    const due = await database.run.findMany({ where: { state: 'queued', dueAt: { lte: clock.now() } } });
    await resources.queues.backUps.enqueue(due.map(({ id, fence }) => ({ runId: id, attempt: fence, now: true })));
  }

  /** Works on all that is due, and lets time pass to the next that will be, until nothing is left. */
  async function settle(): Promise<void> {
    let [known, since] = ['', performance.now()];
    for (;;) {
      await patiently(duties);
      const open = await patiently(() => database.run.findMany({ where: { state: { in: ['queued', 'running'] } } }));
      if (open.length === 0) return;
      const told = JSON.stringify(open.map(({ id, state, fence, leaseUntil }) => [id, state, fence, leaseUntil]));
      if (told !== known) [known, since] = [told, performance.now()];
      if (performance.now() - since > 180_000)
        throw new Error(`Nothing moves any more: ${JSON.stringify({ now: clock.now(), open })}`);
      const now = clock.now().getTime();
      const isBusy = open.some(({ state, leaseHolder, dueAt }) =>
        state === 'running' ? isAlive(leaseHolder) : dueAt.getTime() <= now,
      );
      const next = open.map(({ state, dueAt, leaseUntil }) => (state === 'queued' ? dueAt : (leaseUntil ?? dueAt)));
      if (isBusy) await sleep(500);
      else await pass(Math.min(...next.map((at) => at.getTime())) - now + 1_000);
    }
  }

  // They consent at noon: whoever did so in the window could have a night of that date that the others have not.
  const now = clock.now();
  await pass((new Date(now).setUTCHours(12, 0, 0, 0) - now.getTime() + dayMs) % dayMs);
  for (const person of people) {
    await using visitor = openFormsVisitor(person, `${issuer}/session/end`);
    await visitor.open(new URL('?scope=offline_access', publicUrl).href);
    await visitor.press(texts.consent.agree);
  }
  await settle();
  let nights = 0;
  const closing = opened.move();
  return {
    resources,
    provider,
    s3,
    fileRequests,
    deaths,
    usernames: people.map(({ username }) => username),
    pass,
    night: async (meanwhile) => {
      nights += 1;
      for (const { username } of people)
        for (let number = 0; number < filesANight; number += 1)
          cloud.write(username, `Nights/${nights}/${number}.txt`, `${username} ${nights} ${number}\n`.repeat(2_000));
      const last = await patiently(() => database.plan.findFirst({ orderBy: { nextDueAt: 'desc' } }));
      await pass((last?.nextDueAt.getTime() ?? 0) - clock.now().getTime());
      await patiently(duties);
      const over = new AbortController();
      const mending = (async () => {
        while (!over.signal.aborted) {
          await duties().catch(unlessAway);
          await sleep(2_000, undefined, { signal: over.signal }).catch(() => undefined);
        }
      })();
      mending.catch(() => undefined); // It is waited for below.
      try {
        await meanwhile();
      } finally {
        over.abort();
        await mending;
      }
      await settle();
    },
    machineOf,
    untilItWorks: async (name) => {
      for (let left = 1; left > 0; await sleep(50)) {
        const open = await patiently(() => database.run.findMany({ where: { state: { in: ['queued', 'running'] } } }));
        if (open.some(({ leaseHolder }) => leaseHolder !== null && machineOf(leaseHolder).name === name)) return;
        left = open.length;
      }
    },
    killWorker: async (name) => {
      const process = processes.get(name);
      if (process !== undefined) await end(process);
    },
    startWorker: (name) => begin(name, 'worker'),
    restartRedis: async () => {
      await redis.kill();
      redis = await startRedis(redisProgram, redisMachine);
    },
    restartPostgres: postgres.restart,
    failOver: postgres.failOver,
    refuseStore: (refuses) => store.decide(() => (refuses ? { refuse: 503, code: 'SlowDown' } : 'pass')),
    part: async (name) => {
      const worker = machines.get(name);
      for (const server of postgres.machines) if (worker !== undefined) await network.part(worker, server);
    },
    mend: async (name) => {
      const worker = machines.get(name);
      for (const server of postgres.machines) if (worker !== undefined) await network.mend(worker, server);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** That process never worked: PostgreSQL or Redis did not answer when it started. */
function lacksOthers({ stdout, stderr }: { stdout: string; stderr: string }): boolean {
  return (
    !/^Nightkeep (listens on|works)/m.test(stdout) && /^nightkeep: .*(does not answer|accepts no writes)/m.test(stderr)
  );
}

/** It keeps nothing on disk: started again it is empty. */
function startRedis(command: string, place: Machine): Promise<RunningServer> {
  const options = ['--bind', place.host, '--protected-mode', 'no', '--save', '', '--appendonly', 'no'];
  return startServerProcess(async (port) => ({ command, args: ['--port', String(port), ...options] }), undefined, {
    port: 6379,
    place,
  });
}

/** Again while PostgreSQL or Redis is away, for two minutes. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const since = performance.now(); ; await sleep(500)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() - since > 2 * minuteMs) throw error;
      unlessAway(error);
    }
  }
}

function unlessAway(error: unknown): void {
  if (!isOutage(error) && !isAppError(error, 'queue/unavailable') && !isAppError(error, 'database/unavailable'))
    throw error;
}
