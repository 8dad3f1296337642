import { type Measurements, measure } from '../../database/measure.ts';
import { findOperatorsLastTold } from '../../database/notices.ts';
import { meansOf } from '../../domain/channels.ts';
import { isAlarming } from '../../domain/damage.ts';
import type { Protection, ProtectionVerdict } from '../../domain/protection.ts';
import type { Resources } from '../../resources.ts';
import { version } from '../../version.ts';
import { listProtections } from './find-protection.ts';

const dayMs = 86_400_000;

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
  grants: Measurements['grants'];
  rotationsLost: number;
  /** Runs that wait or are worked on, and those that ended within the last 24 hours. */
  runs: Measurements['runs'];
  /** Providers whose circuit is open. */
  openCircuits: string[];
  /** Since when the one whose snapshots were found whole the longest ago were; people with damage, and those not verified for too long. */
  verification: { oldestAt: Date | null; damaged: number; unverified: number };
  /** When operators were last told of something, and by what; null where they never were. */
  operatorsTold: { at: Date; by: string } | null;
}

export async function viewStatus(resources: Pick<Resources, 'clock' | 'database'>): Promise<Status> {
  const at = resources.clock.now();
  const [measured, protections, told] = await Promise.all([
    measure(resources.database, { at, since: new Date(at.getTime() - dayMs) }),
    listProtections(resources),
    findOperatorsLastTold(resources.database),
  ]);
  const people = { protected: 0, partly: 0, late: 0, not: 0 };
  for (const { protection } of protections) people[protection.verdict] += 1;
  const { lastSuccessAt, oldestDueAt, grants, rotationsLost, runs, circuits } = measured;
  const openCircuits = circuits.filter(({ open }) => open).map(({ issuer }) => issuer);
  const operatorsTold = told && { at: told.at, by: meansOf(told.channel) ?? told.channel };
  const verification = verificationOf(protections.map(({ protection }) => protection));
  return {
    ...{ version, at, verification },
    ...{ lastSuccessAt, oldestDueAt, people, grants, rotationsLost, runs, openCircuits, operatorsTold },
  };
}

/** How far the repositories of these people are known to be whole, in figures. */
export function verificationOf(protections: readonly Protection[]): Status['verification'] {
  const all = protections.map(({ restorable }) => restorable);
  const known = all.flatMap(({ verifiedAt }) => (verifiedAt === null ? [] : [verifiedAt.getTime()]));
  return {
    oldestAt: known.length === 0 ? null : new Date(Math.min(...known)),
    damaged: all.filter(({ damage }) => isAlarming(damage)).length,
    unverified: all.filter(({ isOverdue }) => isOverdue).length,
  };
}
