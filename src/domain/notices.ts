import { warningDue } from './deadlines.ts';
import type { Protection, ProtectionReason, ProtectionVerdict } from './protection.ts';

/** Who is told, and by what: each is one delivery. */
export type Channel = 'mail-person' | 'mail-operator' | 'webhook';

/** What is told; nothing of a person's files, and no name. */
export type NoticeFacts =
  | { kind: 'person'; verdict: ProtectionVerdict; reason: ProtectionReason; days?: number }
  | { kind: 'digest'; verdicts: Record<ProtectionVerdict, number>; reasons: Partial<Record<ProtectionReason, number>> }
  | { kind: 'circuit'; issuer: string };

export interface Notice {
  /** The same key is told once. */
  key: string;
  facts: NoticeFacts;
}

/**
 * What a person should be told, the first thing first: 14, 7 and 2 days before an end of their consent, whatever else is wrong,
 * and once of each trouble that they can mend. Who never consented, or withdrew, knows.
 */
export function noticesForPerson(
  { userId, maxDeadline, protection }: { userId: string; maxDeadline: Date | null; protection: Protection },
  now: Date,
): Notice[] {
  const { by, consent, mend, reason, runId, since, verdict } = protection;
  const notices: Notice[] = [];
  const days = maxDeadline && consent === 'living' ? warningDue(maxDeadline, now, null) : undefined;
  if (maxDeadline && days !== undefined) {
    const key = `person/${userId}/consent_ends/${maxDeadline.toISOString()}/${days}`;
    notices.push({ key, facts: { kind: 'person', verdict, reason: 'consent_ends', days } });
  }
  if (by !== 'person' || mend === 'renew' || reason === 'no_consent' || reason === 'withdrawn') return notices;
  const trouble = mend === 'look' ? runId : since?.toISOString();
  const key = `person/${userId}/${reason}/${trouble ?? 'never'}`;
  return [...notices, { key, facts: { kind: 'person', verdict, reason } }];
}

/** What operators should know once a day: undefined where nobody waits for them or their provider, and nobody is late. */
export function digestOf(protections: readonly Protection[], day: string): Notice | undefined {
  const verdicts = { protected: 0, partly: 0, late: 0, not: 0 };
  const reasons: Partial<Record<ProtectionReason, number>> = {};
  for (const { by, reason, verdict } of protections) {
    verdicts[verdict] += 1;
    if (isForOperators({ by, verdict })) reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  if (Object.keys(reasons).length === 0) return undefined;
  return { key: `digest/${day}`, facts: { kind: 'digest', verdicts, reasons } };
}

/** That a circuit was opened; at once, since nobody's night goes on before it is closed. */
export function noticeOfCircuit({ issuer, openedAt }: { issuer: string; openedAt: Date }): Notice {
  return { key: `circuit/${issuer}/${openedAt.toISOString()}`, facts: { kind: 'circuit', issuer } };
}

/** Lateness that nobody needs to mend may pass by itself, but operators see many of it at once first. */
function isForOperators({ by, verdict }: Pick<Protection, 'by' | 'verdict'>): boolean {
  return by === 'operator' || by === 'provider' || verdict === 'late';
}

const minute = 60_000;

/** The pauses after deliveries that failed; after the last one it is given up. */
const pauses = [minute, 5 * minute, 30 * minute, 2 * 60 * minute, 6 * 60 * minute, 12 * 60 * minute];

/** When a delivery that failed so often is tried again; undefined: never. */
export function nextAttempt(failures: number, at: Date): Date | undefined {
  const pause = pauses[failures - 1];
  return pause === undefined ? undefined : new Date(at.getTime() + pause);
}
