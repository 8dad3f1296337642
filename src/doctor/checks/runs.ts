import { countWords } from '../../count-words.ts';
import { inspectRuns, type RunFacts } from '../../database/nights/inspect-runs.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';

const name = 'runs';
const start = 'Start one (nightkeep start --roles worker) and look at its log.';
const startOrResume = `${start} If the line queue says that it is paused, resume the night: nightkeep queue --resume.`;

export const runs: Check = {
  name,
  run: async ({ clock, records }) => {
    const at = clock.now();
    const ago = (ms: number) => new Date(at.getTime() - ms);
    const facts = await inspectRuns(await records(), {
      at,
      lapsedBefore: ago(15 * minuteMs),
      waitingBefore: ago(15 * minuteMs),
      nightBefore: ago(10 * minuteMs),
      endedSince: ago(dayMs),
    });
    return checkRuns(facts);
  },
};

/** Whether workers open nights, take runs and bring them to an end. */
export function checkRuns({
  running,
  lapsed,
  waiting,
  unopened,
  ended,
  partial,
  failed,
  errorCode,
}: RunFacts): Finding {
  if (unopened > 0)
    return wrong(
      name,
      `${countWords(unopened, 'night')} should have been opened by now: no worker is doing that.`,
      start,
    );
  if (waiting > 0 && running === 0)
    return wrong(
      name,
      `${countWords(waiting, 'run')} ${waiting === 1 ? 'is waiting' : 'are waiting'} and none is in progress: no worker starts them.`,
      startOrResume,
    );
  if (lapsed > 0)
    return wrong(
      name,
      `${countWords(lapsed, 'run')} ${lapsed === 1 ? 'was' : 'were'} left by a worker that is gone, and nobody took ${lapsed === 1 ? 'it' : 'them'} over.`,
      'Run: nightkeep heal. Workers do so every ten minutes.',
    );
  if (failed > 0)
    return warn(
      name,
      `Of ${countWords(ended, 'run')} in a day ${failed} failed, most often by ${errorCode ?? 'an unknown error'}, and ${countWords(partial, 'was', 'were')} partial.`,
      'The page of the run, or the log of the worker, says why.',
    );
  const now = running === 0 ? '' : ` ${running} under way.`;
  if (ended === 0) return ok(name, `None ended in a day, and none is stuck.${now}`);
  return ok(
    name,
    `Of ${countWords(ended, 'run')} in a day ${partial === 0 ? 'all succeeded' : `${countWords(partial, 'was', 'were')} partial`}, and none is stuck.${now}`,
  );
}
