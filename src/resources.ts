import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from './clock.ts';
import type { Config } from './config/config.ts';
import { openRunProgress, type RunProgressBoard } from './database/nights/run-progress.ts';
import { openRunWatch, type RunWatch } from './database/nights/run-watch.ts';
import { openRunClaims, type RunClaims } from './database/nights/turns.ts';
import { type Background, openBackground } from './domain/background.ts';
import { type Holder, openHolder } from './domain/holder.ts';
import { type MarkMemory, openMarkMemory } from './domain/marks.ts';
import { openPeopleCount, type PeopleCount } from './domain/people-tally.ts';
import { openTokenCache, type TokenCache } from './domain/token-cache.ts';
import { hourMs, minuteMs } from './durations.ts';
import type { Log } from './log.ts';
import { type MemoryBudget, openMemoryBudget, unlimitedMemory } from './memory-budget.ts';
import { type Meters, openMeters } from './meters.ts';
import { type Issuer, openIssuer } from './oidc/issuer.ts';
import { queuePrefix } from './queues/connection.ts';
import { openQueues, type Queues } from './queues/queues.ts';
import { openOwnLocks, openRepositoryResources, type RepositoryResources } from './repository-resources.ts';
import { openServers, type Servers, type TransferLimits } from './sources/http/server.ts';
import type { HeldKey } from './store/history/held-key.ts';
import type { History } from './store/history/history.ts';
import { heldUpMsOfThread } from './thread-time.ts';
import { openSpoolBelow, type Spool } from './vault/spool.ts';

/** What one process keeps in memory for itself. */
export interface ProcessState extends Pick<RepositoryResources, 'lockOwner'> {
  /** Access tokens, which live nowhere else. */
  tokenCache: TokenCache;
  /** How new the rows of people are that were used. */
  marks: MarkMemory;
  /** The servers that sources fetch from: all runs of this process share their connections. */
  sourceServers: Servers;
  /** How this process takes runs. */
  runClaims: RunClaims;
  /** The runs that this process works on. */
  runWatch: RunWatch;
  runProgress: RunProgressBoard;
  /** For the folders that they go through. */
  runMemory: MemoryBudget;
  meters: Meters;
  peopleCount: PeopleCount;
  /** What goes on after the request that began it: restores to the source. */
  background: Background;
  /** When this process last failed to erase a repository, by its id. */
  failedErasures: Map<string, Date>;
  /**
   * Repositories of people who look at their snapshots now, by the person's id. Opening one costs all of its index, and people turn
   * page after page; so it stays for two minutes after the last page, and ten at most.
   */
  histories: Holder<History>;
  /**
   * Their keys, each derived once for as long as its person is signed in. They are in memory only, of a process that holds the
   * keyring, which opens every repository, as long as it runs.
   */
  repositoryKeys: Holder<HeldKey>;
}

/** Everything that is open while the service runs. Flows name the part of it that they need. */
export interface Resources extends RepositoryResources, ProcessState {
  queues: Queues;
  issuer: Issuer;
  /** What the provider answered and the database does not have yet, on this machine's disk. */
  spool: Spool;
  /** This process in leases. */
  holder: string;
}

/** All but the queue, for what puts no run into it. */
export type ResourcesWithoutQueue = Omit<Resources, 'queues'>;

/** Opens what `openResourcesWithoutQueue` does, then the queue; what was opened is closed again when that fails. */
export async function openResources(
  config: Config,
  ground: { clock: Clock; log: Log },
): Promise<Resources & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const others = opened.use(await openResourcesWithoutQueue(config, ground));
  const { redisUrl } = config;
  const queues = opened.use(
    await openQueues({ redisUrl, postgresUrl: others.databaseUrl, prefix: queuePrefix, log: ground.log }),
  );
  const closing = opened.move();
  return { ...others, queues, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Opens what `openRepositoryResources` does, then the issuer; what was opened is closed again when a later one fails. */
export async function openResourcesWithoutQueue(
  config: Config,
  ground: { clock: Clock; log: Log },
): Promise<ResourcesWithoutQueue & AsyncDisposable & { databaseUrl: string }> {
  await using opened = new AsyncDisposableStack();
  const storage = opened.use(await openRepositoryResources(config, ground));
  const { database } = storage;
  const issuer = openIssuer({ provider: config.provider, publicUrl: config.publicUrl, ...ground });
  // A private key that cannot be read is refused at start.
  await issuer.publicKeys();
  const holder = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const state = openProcessState(
    { ...ground, database },
    config.sourceLimits.transfer,
    openMemoryBudget(config.runLimits.memory),
    heldUpMsOfThread,
  );
  opened.use(state.histories);
  opened.use(state.repositoryKeys);
  opened.use(state.background);
  const closing = opened.move();
  return {
    ...storage,
    issuer,
    spool: openSpoolBelow(config.dataDir),
    holder,
    ...state,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What a process keeps in memory only. `transfer` limits what WebDAV servers may send, `runMemory` what runs hold; `heldUpMs` says for how long the machine had no processor for this thread. */
export function openProcessState(
  resources: Pick<Resources, 'clock' | 'database' | 'log'>,
  transfer?: TransferLimits,
  runMemory: MemoryBudget = unlimitedMemory,
  heldUpMs?: () => number,
): ProcessState {
  return {
    tokenCache: openTokenCache(),
    marks: openMarkMemory(),
    lockOwner: openOwnLocks(),
    sourceServers: openServers(resources.clock, transfer, undefined, heldUpMs),
    runClaims: openRunClaims(resources.database),
    runWatch: openRunWatch(resources, heldUpMs),
    runProgress: openRunProgress(resources),
    runMemory,
    meters: openMeters(),
    peopleCount: openPeopleCount(),
    background: openBackground(),
    failedErasures: new Map(),
    histories: openHolder(resources.clock, {
      mostBytes: 256 * 1024 * 1024,
      renewMs: 1000,
      idleMs: 2 * minuteMs,
      longestMs: 10 * minuteMs,
    }),
    // Sessions end earlier than this, and what is held with them.
    repositoryKeys: openHolder(resources.clock, {
      mostBytes: 1024 * 1024,
      renewMs: Number.POSITIVE_INFINITY,
      idleMs: 12 * hourMs,
      longestMs: 12 * hourMs,
    }),
  };
}
