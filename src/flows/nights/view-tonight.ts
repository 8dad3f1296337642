import { countGrants } from '../../database/custody/inspect-custody.ts';
import {
  groupTrouble,
  listSlowestServers,
  measureNight,
  measurePace,
  measureToCome,
  type NightOutcome,
  type NightToCome,
  type ServerPace,
  type TroubleGroup,
} from '../../database/nights/tonight.ts';
import { listOpenCircuits } from '../../database/notices/notices.ts';
import { findStateExport, findStateSince } from '../../database/state/state-exports.ts';
import type { NightForecast } from '../../domain/night-forecast.ts';
import { addDays, nightAround } from '../../domain/nights.ts';
import { isStateExportLate } from '../../domain/state-exports.ts';
import { courseOf, expectedEnd, type NightCourse, type NightProgress, type Pace } from '../../domain/tonight.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

import { foreseeNight } from './foresee-night.ts';
import { type Figure, keepFigure } from './keep-figure.ts';
import { tallyNights } from './tally-nights.ts';
import { tallyPeople } from './tally-people.ts';
import { type VerificationFigures, viewVerification } from './tally-repositories.ts';

const paceMs = 15 * minuteMs;
/** So many of the nights before are shown. */
export const nightsShown = 30;
const serversShown = 8;

export type QueueState = 'runs' | 'paused' | 'away' | 'damaged';

/** The night over all plans, with nothing of anybody's files. */
export interface Tonight {
  /** The span that the night counts from noon to noon in the zone of the settings. */
  from: Date;
  to: Date;
  course: NightCourse;
  progress: NightProgress;
  /** When it was counted what is to come of it: earlier than now where that takes long. */
  toComeAt: Date;
  pace: Pace & { workers: number };
  expected: Date | undefined;
  /** Whether the windows that open next will hold their backups. */
  forecast: NightForecast | null;
  trouble: TroubleGroup[];
  /** When that was counted. */
  troubleAt: Date;
  /** Consents that have ended at the provider, and those whose rotated token was lost. */
  ended: number;
  rotationsLost: number;
  openCircuits: { issuer: string; openedAt: Date }[];
  servers: ServerPace[];
  /** Oldest first. */
  nights: NightOutcome[];
  queue: QueueState;
  verification: VerificationFigures;
  /** When people were counted for it. */
  verificationAt: Date;
  /** The newest export of Nightkeep's own state in the store, and whether one was missed; null: none are made at night. */
  exported: { last: Date | null; isLate: boolean } | null;
}

/** Looks at the night that is under way, or at the one that comes next after noon. */
export async function viewTonight({
  clock,
  config,
  database,
  peopleCount,
  queues,
}: Pick<Resources, 'clock' | 'database' | 'peopleCount' | 'queues'> & {
  config: Parameters<typeof foreseeNight>[0]['config'] & Pick<Resources['config'], 'stateExports' | 'window'>;
}): Promise<Tonight> {
  const at = clock.now();
  const { date, from, to } = nightAround(config.window.zone, at);
  const span = { firstDate: addDays(date, -1), lastDate: addDays(date, 2), from, to };
  const [underWay, toCome, pace, trouble, grants, openCircuits, servers, nights, queue, people, exported, forecast] =
    await Promise.all([
      measureNight(database, { ...span, at }),
      findToCome({ clock, database }, to),
      measurePace(database, { at, since: new Date(at.getTime() - paceMs) }),
      findTrouble({ clock, database }, at),
      countGrants(database),
      listOpenCircuits(database),
      listSlowestServers(database, { since: new Date(at.getTime() - dayMs), limit: serversShown }),
      tallyNights({ clock, database }, { date, nights: nightsShown }),
      stateOfQueue(queues),
      tallyPeople({ clock, database, peopleCount }),
      config.stateExports === 0 ? null : findExported(database, at),
      foreseeNight({ clock, config, database }),
    ]);
  const progress = { ...underWay, ...toCome.value };
  const expected = expectedEnd(progress, pace, at);
  const sum = (which: (grant: (typeof grants)[number]) => boolean) =>
    grants.filter(which).reduce((total, { count }) => total + count, 0);
  return {
    from,
    to,
    course: courseOf(progress, { now: at, expected, paused: queue === 'paused' }),
    progress,
    toComeAt: toCome.at,
    pace,
    expected,
    forecast,
    trouble: trouble.value,
    troubleAt: trouble.at,
    ended: sum(({ state }) => state === 'needs_consent'),
    rotationsLost: sum(({ state, reason }) => state !== 'withdrawn' && reason === 'lost_rotation'),
    openCircuits,
    servers,
    nights,
    queue,
    verification: await viewVerification({ clock, database }, people),
    verificationAt: people.at,
    exported,
  };
}

/** What is to come of the night that ends then. */
async function findToCome(needs: Pick<Resources, 'clock' | 'database'>, to: Date): Promise<Figure<NightToCome>> {
  const { value, at } = await keepFigure(needs, { name: 'to come', of: to.toISOString() }, async () => {
    const { toCome, nextDueAt, lastDueAt } = await measureToCome(needs.database, { to });
    return { toCome, nextDueAt: msOf(nextDueAt), lastDueAt: msOf(lastDueAt) };
  });
  return { value: { ...value, nextDueAt: momentOf(value.nextDueAt), lastDueAt: momentOf(value.lastDueAt) }, at };
}

/** Who is in trouble then. */
async function findTrouble(needs: Pick<Resources, 'clock' | 'database'>, now: Date): Promise<Figure<TroubleGroup[]>> {
  const { value, at } = await keepFigure(needs, { name: 'trouble', of: 'everybody' }, async () =>
    (await groupTrouble(needs.database, now)).map(({ since, nextDueAt, ...group }) => ({
      ...group,
      since: since.getTime(),
      nextDueAt: msOf(nextDueAt),
    })),
  );
  const groups = value.map(({ since, nextDueAt, ...group }) => ({
    ...group,
    since: new Date(since),
    nextDueAt: momentOf(nextDueAt),
  }));
  return { value: groups, at };
}

function msOf(moment: Date | null): number | null {
  return moment?.getTime() ?? null;
}

function momentOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

async function findExported(database: Resources['database'], at: Date): Promise<Tonight['exported']> {
  const [record, since] = await Promise.all([findStateExport(database), findStateSince(database)]);
  const last = record?.madeAt ?? null;
  return { last, isLate: isStateExportLate({ last, since }, at) };
}

/** Whether workers take runs from the queue, or why not. */
export async function stateOfQueue({ backUps }: Resources['queues']): Promise<QueueState> {
  try {
    return (await backUps.isPaused()) ? 'paused' : 'runs';
  } catch (error) {
    if (isAppError(error, 'queue/unavailable')) return 'away';
    if (isAppError(error, 'queue/damaged')) return 'damaged';
    throw error;
  }
}
