import { findOperatorsLastTold } from '../../database/notices/notices.ts';
import { type Measurements, measure } from '../../database/records/measure.ts';
import { meansOf } from '../../domain/channels.ts';
import type { NightForecast } from '../../domain/night-forecast.ts';
import { lateUnderWayOf, pausedOf } from '../../domain/people-tally.ts';
import type { ProtectionVerdict } from '../../domain/protection-reasons.ts';
import { dayMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import { version } from '../../version.ts';
import { foreseeNight } from './foresee-night.ts';
import { tallyPeople } from './tally-people.ts';
import { type VerificationFigures, viewVerification } from './tally-repositories.ts';

/** How the installation is, in figures; nothing of one person. */
export interface Status {
  version: string;
  at: Date;
  /** When the newest complete backup of anybody ended; null where there is none. */
  lastSuccessAt: Date | null;
  /** Since when the run that waits the longest has been due; null where none is. */
  oldestDueAt: Date | null;
  /** People whose consent was not withdrawn, by the verdict on their data. */
  people: Record<ProtectionVerdict, number>;
  /** Those of them who paused their nights until a day. */
  paused: Record<ProtectionVerdict, number>;
  /** Those who are late although their backup is under way. */
  lateUnderWay: number;
  /** When these were counted: earlier than now where counting takes long. */
  peopleAt: Date;
  grants: Measurements['grants'];
  rotationsLost: number;
  /** Runs that wait or are worked on, and those that ended within the last 24 hours. */
  runs: Measurements['runs'];
  /** Providers whose circuit is open. */
  openCircuits: string[];
  verification: VerificationFigures;
  /** Whether the windows that open next will hold their backups; null where nothing is known. */
  forecast: NightForecast | null;
  /** When operators were last notified of something, and by which channel; null: never. */
  operatorsTold: { at: Date; by: string } | null;
}

/** The figures of `nightkeep status` and `/status.json`. */
export async function viewStatus(
  resources: Pick<Resources, 'clock' | 'database' | 'peopleCount'> & Parameters<typeof foreseeNight>[0],
): Promise<Status> {
  const at = resources.clock.now();
  const [measured, people, told, forecast] = await Promise.all([
    measure(resources.database, { at, since: new Date(at.getTime() - dayMs) }),
    tallyPeople(resources),
    findOperatorsLastTold(resources.database),
    foreseeNight(resources),
  ]);
  const { lastSuccessAt, oldestDueAt, grants, rotationsLost, runs, circuits } = measured;
  const openCircuits = circuits.filter(({ open }) => open).map(({ issuer }) => issuer);
  const operatorsTold = told && { at: told.at, by: meansOf(told.channel) ?? told.channel };
  const verification = await viewVerification(resources, people);
  return {
    ...{ version, at, verification },
    ...{
      lastSuccessAt,
      oldestDueAt,
      people: people.tally.verdicts,
      paused: pausedOf(people.tally),
      lateUnderWay: lateUnderWayOf(people.tally),
      peopleAt: people.at,
      grants,
      rotationsLost,
      runs,
      openCircuits,
      forecast,
      operatorsTold,
    },
  };
}
