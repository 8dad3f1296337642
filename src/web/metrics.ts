import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { Gauge, Registry } from 'prom-client';
import { countUnrenewed } from '../database/custody/deadlines.ts';
import { type Measurements, measure } from '../database/records/measure.ts';
import { measureRepositories, type RepositoryFigures } from '../database/repositories/measure-repositories.ts';
import { listHeldRetentions } from '../database/repositories/retention.ts';
import { findStateExport, findStateSince } from '../database/state/state-exports.ts';
import type { NightForecast } from '../domain/night-forecast.ts';
import { pausedOf, type TalliedPeople } from '../domain/people-tally.ts';
import { heldTooLongMs } from '../domain/retention/held.ts';
import type { CountName } from '../domain/run-counts.ts';
import { dayMs } from '../durations.ts';
import { foreseeNight } from '../flows/nights/foresee-night.ts';
import { keepFigure } from '../flows/nights/keep-figure.ts';
import { ownHostname } from '../flows/nights/own-snapshots.ts';
import { tallyPeople } from '../flows/nights/tally-people.ts';
import { type VerificationFigures, viewVerification } from '../flows/nights/tally-repositories.ts';
import type { Resources } from '../resources.ts';
import { version } from '../version.ts';
import { forMonitors } from './monitors.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'log' | 'meters' | 'peopleCount' | 'queues'>;

/**
 * Answers `GET /metrics` in the Prometheus text format with figures of the whole installation, what this process has done, and the jobs
 * in the queue; nothing of one person. With METRICS_RESTIC also figures of each repository, under a name that tells nobody whose
 * it is. For who may watch (see `forMonitors`); what is answered may be 15 seconds old.
 */
export function openMetrics(resources: Needs): (c: Context) => Promise<Response> {
  return forMonitors(resources, { collect: () => collect(resources), type: Registry.PROMETHEUS_CONTENT_TYPE });
}

async function collect(resources: Needs): Promise<string> {
  const { clock, config, database, meters } = resources;
  const at = clock.now();
  const measured = await measure(database, { at, since: new Date(at.getTime() - dayMs) });
  const people = await tallyPeople(resources);
  const verified = await viewVerification(resources, people);
  const unrenewed = await findUnrenewed(resources, at);
  const held = await listHeldRetentions(database, new Date(at.getTime() - heldTooLongMs));
  const exportedAt = await findExportedAt(resources);
  const forecast = await foreseeNight(resources);
  const repositories = config.metricsRestic === 'on' ? await measureRepositories(database) : [];
  const registry = new Registry();
  for (const { name, help, values } of [
    ...gauges(measured, people, { at, verified, unrenewed, held: held.length, exportedAt, forecast }),
    ...resticSet(repositories),
  ]) {
    // The library would write 0 where there is nothing to tell.
    if (values.length === 0) continue;
    const labelNames = [...new Set(values.flatMap(({ labels }) => Object.keys(labels)))];
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const { labels, value } of values) gauge.set(labels, value);
  }
  return [await registry.metrics(), await meters.text(), await queueText(resources)].join('\n');
}

/** Kept for a while: where a provider ends tokens far sooner than OFFLINE_IDLE says, counting them looks at each. */
async function findUnrenewed({ clock, config, database }: Needs, at: Date): Promise<number> {
  const { value } = await keepFigure({ clock, database }, { name: 'unrenewed', of: 'everybody' }, () =>
    countUnrenewed(database, { at, idleMs: config.offlineIdleMs }),
  );
  return value;
}

/** When the state was last exported, in milliseconds; null where there is nothing to export, or exports are off. */
async function findExportedAt({ config, database }: Needs): Promise<number | null> {
  if (config.stateExports === 0 || (await findStateSince(database)) === null) return null;
  return (await findStateExport(database))?.madeAt?.getTime() ?? 0;
}

/** The metrics of the queue; empty where it does not answer, so that the others are still there. */
async function queueText({ log, queues }: Needs): Promise<string> {
  try {
    return `${await queues.backUps.metrics()}\n`;
  } catch (error) {
    log.warn('metrics.queue-failed', { error });
    return '';
  }
}

interface Measured {
  name: string;
  help: string;
  values: { labels: Record<string, string>; value: number }[];
}

interface OtherFigures {
  readonly at: Date;
  readonly verified: VerificationFigures;
  readonly unrenewed: number;
  /** People whose snapshots did not go by their rule. */
  readonly held: number;
  /** In milliseconds; 0: asked for, and there is none. */
  readonly exportedAt: number | null;
  readonly forecast: NightForecast | null;
}

/** Seconds and counts, named as Prometheus asks for: base units, no total on what can fall. */
function gauges(
  measured: Measurements,
  { tally, at: countedAt }: TalliedPeople,
  { at, verified, unrenewed, held, exportedAt, forecast }: OtherFigures,
): Measured[] {
  const { grants, rotationsLost, idleDeadline, maxDeadline, runs, oldestDueAt, lastSuccessAt } = measured;
  const { queued, running, ...ended } = runs;
  const until = (deadline: Date) => (deadline.getTime() - at.getTime()) / 1000;
  const own: Measured[] = [
    one('build_info', 'The version that runs; the value is always 1', 1, { version }),
    each('people', 'People whose consent was not withdrawn, by the verdict on their data', 'verdict', tally.verdicts),
    each('people_paused', 'Those of them who paused their nights until a day, by verdict', 'verdict', pausedOf(tally)),
    one(
      'people_counted_timestamp_seconds',
      'When people were counted: earlier than now where that takes long',
      countedAt.getTime() / 1000,
    ),
    each(
      'people_to_mend',
      'People whose data is not well protected, or soon will not be, by who can fix it',
      'by',
      tally.menders,
    ),
    each('grants', 'Grants by state', 'state', grants),
    one('grants_rotation_lost', 'Grants whose rotated token was lost; must be 0', rotationsLost),
    {
      name: 'grant_deadline_seconds',
      help: 'Seconds until the first living grant ends, unless it is used (idle) or in any case (max)',
      values: Object.entries({ idle: idleDeadline, max: maxDeadline }).flatMap(([kind, deadline]) =>
        deadline === null ? [] : [{ labels: { kind }, value: until(deadline) }],
      ),
    },
    one(
      'grants_unrenewed',
      'Grants of which keep-alive let more than three quarters of the idle window pass; must be 0',
      unrenewed,
    ),
    each('runs', 'Runs that wait or are worked on', 'state', { queued, running }),
    each('runs_ended_last_day', 'Runs that ended within the last 24 hours, by outcome', 'state', ended),
    one(
      'queue_oldest_waiting_seconds',
      'How long the run that waits the longest has been due',
      oldestDueAt === null ? 0 : -until(oldestDueAt),
    ),
    secondsIfKnown(
      'last_success_timestamp_seconds',
      'When the newest complete backup of anybody ended',
      lastSuccessAt?.getTime(),
    ),
    secondsIfKnown(
      'last_verified_timestamp_seconds',
      'When the snapshots that were verified the longest ago were last found restorable',
      verified.oldestAt?.getTime(),
    ),
    one('repositories_damaged', 'People in whose repository something is damaged', verified.damaged),
    one('repositories_gone', 'People whose repository is not there, or nothing opens it', verified.gone),
    one('repositories_unverified', 'People whose repository was not verified for too long', verified.unverified),
    one(
      'repositories_held',
      'People whose snapshots, or data that no snapshot needs, could not be removed as agreed for too long',
      held,
    ),
    secondsIfKnown(
      'state_exported_timestamp_seconds',
      'The moment that the newest export of Nightkeep itself in the store shows; 0 as long as there is none',
      exportedAt,
    ),
    {
      name: 'night_needed_seconds',
      help: 'How long the backups need that become due in the busiest hours of the next windows, by whom',
      values: Object.entries({ provider: forecast?.providerMs, workers: forecast?.workersMs }).flatMap(([by, ms]) =>
        typeof ms === 'number' ? [{ labels: { by }, value: ms / 1000 }] : [],
      ),
    },
    secondsIfKnown('night_window_seconds', 'How long these hours are', forecast?.windowMs),
    each(
      'token_exchanges_last_day',
      'Token exchanges begun within the last 24 hours, and tokens of new consents, by verdict',
      'verdict',
      {
        ok: 0,
        ...measured.exchanges,
      },
    ),
    {
      name: 'provider_circuit_open',
      help: 'Whether the circuit of the provider is open (1): but for one probe a minute nothing is sent to it',
      values: measured.circuits.map(({ issuer, open }) => ({ labels: { issuer }, value: open ? 1 : 0 })),
    },
  ];
  return own.map((measurement) => ({ ...measurement, name: `nightkeep_${measurement.name}` }));
}

function one(name: string, help: string, value: number, labels: Record<string, string> = {}): Measured {
  return { name, help, values: [{ labels, value }] };
}

/** Seconds, given in milliseconds; nothing where they are not known. */
function secondsIfKnown(name: string, help: string, ms: number | null | undefined): Measured {
  return { name, help, values: typeof ms === 'number' ? [{ labels: {}, value: ms / 1000 }] : [] };
}

function each(name: string, help: string, label: string, counts: Record<string, number>): Measured {
  const values = Object.entries(counts).map(([member, value]) => ({ labels: { [label]: member }, value }));
  return { name, help, values };
}

/**
 * The names that dashboards and alerts for restic's exporters ask for (github.com/ngosang/restic-exporter), one set for each
 * repository. Nothing here reads a repository: it is what its runs have put on record.
 */
function resticSet(repositories: readonly RepositoryFigures[]): Measured[] {
  const figure = (name: string, help: string, of: (repository: RepositoryFigures) => number | null | undefined) => ({
    name: `restic_${name}`,
    help,
    values: repositories.flatMap((repository) => {
      const value = of(repository);
      return typeof value === 'number' ? [{ labels: resticLabels(repository), value }] : [];
    }),
  });
  return [
    figure(
      'backup_timestamp',
      'When the newest snapshot was made',
      ({ latestAt }) => latestAt && latestAt.getTime() / 1000,
    ),
    figure('snapshots_total', 'Snapshots in the repository', ({ snapshots }) => snapshots),
    figure('backup_files_total', 'Files in the newest snapshot', (repository) => countOf(repository, 'entries')),
    figure('backup_size_total', 'Bytes in the newest snapshot', (repository) => countOf(repository, 'totalBytes')),
    figure('backup_data_added_bytes', 'Bytes that the newest snapshot added', (repository) =>
      countOf(repository, 'dataAdded'),
    ),
    figure('check_success', '1: sound, 0: damaged or gone, 2: not checked', ({ sound }) =>
      sound === null ? 2 : sound ? 1 : 0,
    ),
  ];
}

function countOf({ counts }: RepositoryFigures, name: CountName): number | undefined {
  return counts?.[name];
}

/** Who knows the pseudonym can tell nights of one repository apart from others', and nothing else. */
function resticLabels({ id }: RepositoryFigures): Record<string, string> {
  const pseudonym = createHash('sha256').update(`nightkeep/metrics/${id}`).digest('hex').slice(0, 12);
  return {
    client_hostname: ownHostname,
    client_username: pseudonym,
    client_version: `nightkeep ${version}`,
    snapshot_hash: pseudonym,
    snapshot_tag: '',
    snapshot_tags: '',
    snapshot_paths: '',
  };
}
