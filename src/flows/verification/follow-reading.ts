import { saveVerifying, type VerificationRow } from '../../database/repositories/verifications.ts';
import { cursorAfter } from '../../domain/verification.ts';
import { hourMs, minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { PackId } from '../../store/format/ids.ts';
import type { Finding } from '../../store/repository/finding.ts';
import { namedOfKind } from '../../store/repository/findings.ts';

/** After this long without word from its worker, a verification counts as given up. */
export const leaseMs = 15 * minuteMs;
const tellEveryMs = 10_000;

export interface FollowedReading extends AsyncDisposable {
  /** Aborted with `repository/locked` where a run of the person began meanwhile. */
  readonly signal: AbortSignal;
  /** These packs of the part are read next, in this order. */
  begin(part: readonly PackId[]): readonly PackId[];
  /** A pack was read. */
  passed(id: PackId, findings: readonly Finding[]): Promise<void>;
}

/** Puts on record now and then how far a reading is and which packs are damaged, and once more where it ends. */
export function followReading(
  { clock, database, log }: Pick<Resources, 'clock' | 'database' | 'log'>,
  { userId, damagedPacks }: Pick<VerificationRow, 'userId' | 'damagedPacks'>,
): FollowedReading {
  const damaged = new Set<string>(damagedPacks);
  const part = new Set<PackId>();
  const ending = new AbortController();
  let cursor: number | undefined;
  const tell = async () => {
    const nextAt = new Date(clock.now().getTime() + leaseMs);
    const told = { userId, nextAt, damagedPacks: [...damaged], ...(cursor !== undefined && { cursor }) };
    if (!(await saveVerifying(database, told))) ending.abort(inUse());
  };
  const telling = clock.every(tellEveryMs, () => tell().catch((error) => log.warn('verify.not-told', { error })));
  return {
    signal: ending.signal,
    begin: (ids) => {
      for (const id of ids) part.add(id);
      return ids;
    },
    passed: async (id, findings) => {
      if (findings.length === 0) damaged.delete(id);
      else if (damaged.size < namedOfKind) damaged.add(id);
      if (part.has(id)) cursor = cursorAfter(id);
    },
    [Symbol.asyncDispose]: async () => {
      telling[Symbol.dispose]();
      await tell();
    },
  };
}

function inUse(): AppError {
  return new AppError('repository/locked', 'A backup of the person has begun. The verification continues after it.', {
    retry: { afterMs: hourMs },
  });
}
