import { countWords } from '../../count-words.ts';
import { findStateExport, findStateSince, type StateExportRecord } from '../../database/state/state-exports.ts';
import { isStateExportLate } from '../../domain/state-exports.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'state exports';

export const stateExports: Check = {
  name,
  run: async ({ clock, records, setting }) => {
    const kept = setting('stateExports');
    const database = await records();
    const [record, since] = await Promise.all([findStateExport(database), findStateSince(database)]);
    return checkStateExports({ kept, record, since, now: clock.now() });
  },
};

/** `since`: when somebody first signed in; null: nobody has yet. `kept`: what STATE_EXPORTS says. */
interface Exports {
  readonly kept: number;
  readonly record: StateExportRecord | null;
  readonly since: Date | null;
  readonly now: Date;
}

/** Whether Nightkeep's own state went into the store within the last day and a half, and whether older exports went. */
export function checkStateExports({ kept, record, since, now }: Exports): Finding {
  const last = record?.madeAt ?? null;
  const told = last === null ? 'There is none yet' : `The last one is from ${last.toISOString()}`;
  if (kept === 0) return ok(name, "STATE_EXPORTS is 0: Nightkeep's own state is not exported to the store.");
  if (isStateExportLate({ last, since }, now)) {
    const why = record?.errorCode == null ? '' : ` (${record.errorCode})`;
    return warn(
      name,
      `Nightkeep's own state has not been exported to the store for a day and a half${why}. ${told}.`,
      'Start a worker, and look for state.export-failed in its log; nightkeep export --to-store does it at once and says what is wrong. If this machine were lost now, everything since then would be lost with it.',
    );
  }
  if (record !== null && record.overdue > 0)
    return warn(
      name,
      `${told}, and ${countWords(record.overdue, 'older export', 'older exports')} should have been removed: the key in STORE_KEYS may not delete.`,
      'Somebody with a key that may delete has to run nightkeep export --to-store. Until then these exports contain, sealed, people who were erased since.',
    );
  return ok(name, `${told}${record === null ? '' : `; the store has ${record.kept}`}.`);
}
