import { countWords, durationWords } from '../../count-words.ts';
import { type DeadlineFacts, inspectDeadlines } from '../../database/custody/inspect-custody.ts';
import { dayMs, hourMs } from '../../durations.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, wrong } from '../finding.ts';

const name = 'deadlines';

export const deadlines: Check = {
  name,
  run: async ({ clock, records, setting }) => {
    const at = clock.now();
    const limits = { overdueMs: hourMs, nearMaxMs: 14 * dayMs };
    const facts = await inspectDeadlines(await records(), {
      at,
      idleMs: setting('offlineIdleMs'),
      overdueBefore: new Date(at.getTime() - limits.overdueMs),
      maxBefore: new Date(at.getTime() + limits.nearMaxMs),
    });
    return checkDeadlines(facts, limits, at);
  },
};

interface DeadlineLimits {
  overdueMs: number;
  nearMaxMs: number;
}

/** Whether keep-alive does its work, and what ends soon. */
export function checkDeadlines(facts: DeadlineFacts, { overdueMs, nearMaxMs }: DeadlineLimits, at: Date): Finding {
  const { living, overdue, nearIdle, nearMax, nextIdle } = facts;
  if (living === 0) return ok(name, 'There is nothing that could end.');
  const cure = 'Run a worker (nightkeep start --roles worker) and look for keep-alive in its log.';
  if (nearIdle > 0)
    return wrong(
      name,
      `Of ${countWords(living, 'grant')} ${nearIdle} used up more than three quarters of the time that a token lives unused.`,
      cure,
    );
  if (overdue > 0)
    return wrong(
      name,
      `Of ${countWords(living, 'grant')} ${overdue} should have been exchanged ${durationWords(overdueMs)} ago or earlier to stay alive.`,
      cure,
    );
  const first =
    nextIdle === null ? '' : ` The first would end unused in ${durationWords(nextIdle.getTime() - at.getTime())}.`;
  const max =
    nearMax === 0
      ? ''
      : ` ${countWords(nearMax, 'grant')} ${nearMax === 1 ? 'reaches its' : 'reach their'} maximum within ${durationWords(nearMaxMs)}; the people read it on their pages.`;
  return ok(name, `Every grant of ${living} is kept alive.${first}${max}`);
}
