import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { endSilentExchanges } from '../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../src/database/custody/leases.ts';
import type { Run } from '../../src/database/generated/client.ts';
import { runLeaseMs } from '../../src/database/nights/run-leases.ts';
import { replaySpool } from '../../src/flows/custody/spool-answer.ts';
import { healRuns } from '../../src/flows/nights/heal-runs.ts';
import { openPersonRepository } from '../../src/flows/nights/open-person-repository.ts';
import { requestRun } from '../../src/flows/nights/request-run.ts';
import { pruneRepository } from '../../src/flows/retention/prune-repository.ts';
import { silentLog } from '../../src/log.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import type { Repository } from '../../src/store/repository/repository.ts';
import { rememberingQueues } from '../support/fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../support/fixtures/repository.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { openFaultFixture } from '../support/harness/faults.ts';
import { type HostileNode, startHostileWebdav } from '../support/servers/hostile-webdav.ts';
import type { Order } from './night-child.ts';

/** When a worker is killed: once so many bytes of content were sent to it, or so many milliseconds after its start. */
export type Kill = { readonly bytes: number } | { readonly ms: number };

/** A first night of one person, whose workers are killed. */
export interface KilledNight extends AsyncDisposable {
  /** Content bytes that the server has sent so far. */
  readonly fetched: number;
  /** A worker takes the run, and is killed or ends; then time passes until the next may take it. Answers whether it was killed. */
  work(kill?: Kill): Promise<boolean>;
  run(): Promise<Run>;
  /** Removes what no snapshot needs, and opens the repository. */
  prune(): Promise<Repository>;
  /** Bytes of all files of the store, and the names of those that no finished write leaves. */
  stored(): Promise<{ bytes: number; leftovers: string[] }>;
}

/** Opens it with these files on the person's server, which sends so many bytes in a millisecond, of all connections together. */
export async function openKilledNight(files: HostileNode, { pace }: { pace: number }): Promise<KilledNight> {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await openFaultFixture({ reuse: 1_000, count: 1 }));
  const store = opened.use(await temporaryFolder('store'));
  const cloud = opened.use(await startHostileWebdav(files));
  const { fixture } = world;
  const { config, clock, database } = fixture.resources;
  Object.assign(config, { filesUrl: cloud.url });
  const queues = rememberingQueues([]);
  const [person] = world.people;
  if (person === undefined) throw new Error('Nobody is there.');
  const grantId = await world.consent(person);
  const plan = await database.plan.findUniqueOrThrow({ where: { grantId } });
  const runId = await requestRun({ clock, database, queues }, { planId: plan.id, trigger: 'person' });
  const backend = (location: string) => openLocalBackend(join(store.path, location));
  const resources = {
    ...fixture.resources,
    queues,
    scrypt: cheapScryptCosts,
    store: backend,
    lockOwner: openLockOwner(`nightkeep-${hostname()}`),
  };
  const itsTurn = openPacer(pace);
  let fetched = 0;
  let onFetched = (_: number) => {};
  cloud.mischief = ({ method, headers, path }, response) => {
    const content = method === 'GET' ? find(files, path)?.content : undefined;
    const node = find(files, path);
    if (content === undefined || node === undefined) return undefined;
    const onSent = (bytes: number) => {
      fetched += bytes;
      onFetched(fetched);
    };
    void send(response, { ...node, content }, headers.range, { itsTurn, onSent });
    return true;
  };

  function start(): ChildProcess {
    const child = fork(join(import.meta.dirname, 'night-child.ts'), { serialization: 'json', silent: true });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (said) => world.lines.push(String(said)));
    const order: Order = {
      runId,
      databaseUrl: fixture.databaseUrl,
      spool: fixture.resources.spool.folder,
      store: store.path,
      config,
      issuer: fixture.provider.issuer,
      publicUrl: config.publicUrl.href,
      shiftMs: clock.now().getTime() - Date.now(),
    };
    child.send(order);
    return child;
  }

  /** As another process does it, once the leases of the dead one have run out. */
  async function recover(): Promise<void> {
    world.pass(runLeaseMs + 1_000);
    const at = clock.now();
    await replaySpool(fixture.resources);
    await endSilentExchanges(database, { before: new Date(at.getTime() - silenceMs), at });
    await healRuns({ clock, database, holder: 'healer', log: silentLog, queues });
    const { dueAt } = await database.run.findUniqueOrThrow({ where: { id: runId } });
    world.pass(Math.max(0, dueAt.getTime() - at.getTime()));
  }

  const closing = opened.move();
  return {
    get fetched() {
      return fetched;
    },
    run: () => database.run.findUniqueOrThrow({ where: { id: runId } }),
    work: async (kill) => {
      const until = fetched + (kill !== undefined && 'bytes' in kill ? kill.bytes : Number.POSITIVE_INFINITY);
      const child = start();
      const end = () => void child.kill('SIGKILL');
      onFetched = (bytes) => {
        if (bytes >= until) end();
      };
      const timer = kill !== undefined && 'ms' in kill ? setTimeout(end, kill.ms) : undefined;
      const [code, signal] = await once(child, 'close');
      clearTimeout(timer);
      if (signal === null && code !== 0) throw new Error(world.lines.slice(-5).join('\n'));
      await recover();
      return signal === 'SIGKILL';
    },
    prune: async () => {
      await pruneRepository(resources, { userId: plan.userId, by: 'test' });
      const { repository } = await openPersonRepository(resources, plan.userId);
      await repository.loadIndex();
      return repository;
    },
    stored: () => filesOf(store.path),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const piece = 64 * 1024;

/** Lets one piece after the other go, each in its time. */
function openPacer(pace: number): () => Promise<void> {
  let next = 0;
  return async () => {
    next = Math.max(next, performance.now()) + piece / pace;
    const wait = next - performance.now();
    if (wait > 2) await sleepFor(wait);
  };
}

/** Sends a file or its end, piece by piece as the other side takes it, and tells what has gone. */
async function send(
  response: ServerResponse,
  { content, etag = '', modified }: HostileNode & { content: Buffer },
  range: string | undefined,
  { itsTurn, onSent }: { itsTurn: () => Promise<void>; onSent: (bytes: number) => void },
): Promise<void> {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(range === undefined ? 200 : 206, {
    etag,
    'last-modified': modified?.toUTCString() ?? '',
    'content-length': content.length - from,
    ...(range !== undefined && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  const gone = new Promise((resolve) => response.once('close', resolve));
  for (let at = from; at < content.length && !response.destroyed; at += piece) {
    await itsTurn();
    const part = content.subarray(at, at + piece);
    const takesMore = response.write(part);
    onSent(part.length);
    if (!takesMore) await Promise.race([once(response, 'drain'), gone]);
  }
  response.end();
}

function find(root: HostileNode, path: string): HostileNode | undefined {
  let node: HostileNode | undefined = root;
  for (const name of path.replace(/^\/dav\/|\/$/g, '').split('/'))
    node = name === '' ? node : node?.children?.get(decodeURIComponent(name));
  return node;
}

async function filesOf(folder: string): Promise<{ bytes: number; leftovers: string[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const leftovers = paths.filter((path) => path.includes('-tmp-'));
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), leftovers };
}
