import { exchangeNow } from '../../src/flows/custody/obtain-access.ts';
import { openPassword } from '../../src/vault/row-seals.ts';
import { restic, tryRestic } from '../support/servers/restic.ts';
import type { World } from './world.ts';

/** What is wrong after all these nights, by what must hold; each list is empty where it does. */
export interface Verdict {
  readonly counts: Readonly<Record<string, number>>;
  /** Nights of people that have no run, or one that is not over, or one that failed and does not say why. */
  readonly unexplained: readonly string[];
  /** Nights with more than one snapshot. */
  readonly twice: readonly string[];
  /** Files that were asked for by a machine while the run was another's. */
  readonly overlapping: readonly string[];
  /** Consents that ended or do not work any more, and what no correct client asks of a provider. */
  readonly tokens: readonly string[];
  /** Repositories that stock restic finds fault with. */
  readonly damaged: readonly string[];
  /** Processes that ended by themselves. */
  readonly deaths: readonly string[];
}

export async function judge(world: World, nights: number): Promise<Verdict> {
  const { database } = world.resources;
  const runs = await database.run.findMany({ where: { slot: 'night' } });
  const kept = await judgeRepositories(world);
  const states = Object.groupBy(runs, ({ state }) => state);
  const reasons = Object.groupBy(
    runs.filter(({ state }) => state === 'failed'),
    ({ errorCode }) => `failed: ${errorCode}`,
  );
  const sizes = Object.entries({ ...states, ...reasons }).map(([name, some]) => [name, some?.length ?? 0]);
  const retried = runs.filter(({ fence }) => fence > 1).length;
  return {
    counts: { nights, runs: runs.length, retried, ...Object.fromEntries(sizes), ...kept.counts },
    unexplained: await findUnexplained(world, nights),
    twice: kept.twice,
    overlapping: await findOverlapping(world),
    tokens: await judgeTokens(world),
    damaged: kept.damaged,
    deaths: world.deaths,
  };
}

async function findUnexplained({ resources: { database }, usernames }: World, nights: number): Promise<string[]> {
  const plans = await database.plan.findMany({ include: { user: true, runs: { where: { slot: 'night' } } } });
  const strange = plans.flatMap(({ user, runs }) => {
    const bad = runs.filter(
      ({ state, errorCode, message }) =>
        !(
          state === 'succeeded' ||
          state === 'partial' ||
          (state === 'failed' && errorCode !== null && message !== null)
        ),
    );
    const told = bad.map(({ night, state }) => `${user.username} ${night} ${state}`);
    const all = runs.map(({ night, queuedAt }) => `${night} from ${queuedAt.toISOString()}`).join(', ');
    return runs.length === nights ? told : [...told, `${user.username} had ${runs.length} of ${nights} nights: ${all}`];
  });
  return plans.length === usernames.length ? strange : [...strange, `${plans.length} plans`];
}

/** A worker learns within a second that a run is no longer its own, and clocks that are put right may be off by that much. */
const toleranceMs = 3_000;

async function findOverlapping({ resources: { database }, fileRequests, machineOf }: World): Promise<string[]> {
  const plans = await database.plan.findMany({ include: { user: true, runs: { select: { id: true } } } });
  const events = await database.event.findMany({ where: { subjectKind: 'run', to: 'running' } });
  return plans.flatMap(({ user, runs }) => {
    const own = new Set(runs.map(({ id }) => id));
    const claims = events
      .filter(({ subjectId }) => own.has(subjectId))
      .map(({ by, at }) => {
        const { name, skewMs } = machineOf(by);
        return { name, at: at.getTime() - skewMs };
      })
      .toSorted((one, other) => one.at - other.at);
    const strange = fileRequests.filter(({ username, from, at }) => {
      if (username !== user.username) return false;
      const moment = at.getTime();
      const before = claims.findLast((claim) => claim.at <= moment - toleranceMs);
      const around = claims.filter((claim) => Math.abs(claim.at - moment) < toleranceMs);
      return ![before, ...around].some((claim) => claim?.name === from);
    });
    return strange.map(({ from, at }) => `${user.username} by ${from} at ${at.toISOString()}`);
  });
}

async function judgeTokens(world: World): Promise<string[]> {
  const { provider, resources } = world;
  const { database } = resources;
  const wrong: string[] = [];
  const condemned = await database.event.findMany({ where: { subjectKind: 'grant', to: 'needs_consent' } });
  wrong.push(...condemned.map(({ subjectId, reason }) => `${subjectId} was condemned: ${reason}`));
  for (const { id } of await database.grant.findMany()) {
    // Of an exchange whose worker was killed the answer is waited for, for a quarter of an hour.
    const exchange = () => exchangeNow(resources, id);
    const error = await exchange()
      .catch(() => world.pass(60 * 60_000).then(exchange))
      .catch((reason: unknown) => String(reason));
    if (error !== undefined) wrong.push(`${id} cannot be used any more: ${error}`);
  }
  const notActive = await database.grant.findMany({ where: { state: { not: 'active' } } });
  wrong.push(...notActive.map(({ id, state }) => `${id} is ${state}`));
  const alive = await provider.log('alive');
  if (alive.length !== world.usernames.length) wrong.push(`${alive.length} sessions are alive`);
  const overlaps = await provider.log('overlaps');
  wrong.push(...overlaps.map(([, late]) => `request ${late.number} came while another one was under way`));
  const replays = await provider.log('replays');
  wrong.push(...replays.map(({ number }) => `request ${number} sent a token that had been replaced and used`));
  return wrong;
}

async function judgeRepositories({ resources, s3 }: World) {
  const { database, keyring } = resources;
  const [twice, damaged]: [string[], string[]] = [[], []];
  const counts = { repositories: 0, snapshots: 0, unrecorded: 0 };
  const runs = await database.run.findMany({ orderBy: { queuedAt: 'asc' }, include: { plan: true } });
  for (const row of await database.repository.findMany({ include: { user: true } })) {
    const name = row.user?.username ?? row.id;
    const key = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
    const repository = `s3:${s3.url}backups/nightkeep/${row.location}`;
    const options = { repository, password: openPassword(keyring, row), key };
    // Its clock is the machine's, and a lock of a worker that was killed would look as if it were of tomorrow.
    const { code, stderr } = await tryRestic(options, 'check', '--read-data', '--no-lock');
    if (code !== 0) damaged.push(`${name}: ${stderr}`);
    const listed: { id: string; time: string }[] = JSON.parse(
      await restic(options, 'snapshots', '--json', '--no-lock'),
    );
    const own = runs.filter(({ plan }) => plan.userId === row.userId);
    const recorded = new Set(own.map(({ snapshotId }) => snapshotId));
    counts.repositories += 1;
    counts.snapshots += listed.length;
    counts.unrecorded += listed.filter(({ id }) => !recorded.has(id)).length;
    const lost = own.filter(({ snapshotId }) => snapshotId !== null && !listed.some(({ id }) => id === snapshotId));
    damaged.push(...lost.map(({ night }) => `${name}: the snapshot of ${night} is not there`));
    for (const [index, run] of own.entries()) {
      const until = own[index + 1]?.queuedAt.getTime() ?? Number.POSITIVE_INFINITY;
      const of = listed.filter(({ time }) => Date.parse(time) >= run.queuedAt.getTime() && Date.parse(time) < until);
      if (of.length > 1) twice.push(`${name} ${run.night}: ${of.map(({ id }) => id.slice(0, 8)).join(', ')}`);
    }
  }
  return { counts, twice, damaged };
}
