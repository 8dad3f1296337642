import { dayMs, hourMs } from '../../durations.ts';
import { type CountWord, countWords, isEmpty, type RetentionRule, type Span } from './rule.ts';

/** What retention looks at in a snapshot; `time` is RFC 3339 with the offset of the plan's zone. */
export interface Retainable {
  readonly id: string;
  readonly time: string;
  readonly tags?: readonly string[] | undefined;
}

/** Why a snapshot stays: `oldest` where it only takes a place that is left, `everything` where the rule is empty. */
export type KeepReason = CountWord | 'within' | 'tag' | 'oldest' | 'everything';

/** The same, and why it does whatever the rule says: `newest` and `complete` of all, dated into the future, or not Nightkeep's own. */
export type StayReason = KeepReason | 'newest' | 'complete' | 'pinned' | 'future' | 'foreign';

/** A snapshot that a rule was applied to. It goes where there is no reason for it to stay. */
export interface Judged<Item extends Retainable> {
  readonly item: Item;
  readonly reasons: readonly KeepReason[];
}

/**
 * Applies the rule as `restic forget` does, newest first: it keeps the newest of each of the last days, ISO weeks, months and years by
 * the calendar of each snapshot's own offset. The oldest of all takes a place that is left, as it does since restic 0.17.
 * `now` bounds "newest" for `within`: a snapshot of the future does not move that span.
 */
export function applyRule<Item extends Retainable>(
  items: readonly Item[],
  rule: RetentionRule,
  now: Date,
): Judged<Item>[] {
  const dated = items.map((item) => ({ item, moment: momentOf(item.time) })).sort(newestFirst);
  if (isEmpty(rule)) return dated.map(({ item }) => ({ item, reasons: ['everything'] }));
  const buckets = countWords.map((word) => ({ word, left: rule[word] ?? 0, last: '' }));
  const since = rule.within === undefined ? undefined : startOf(rule.within, dated, now);
  return dated.map(({ item, moment }, index) => {
    const reasons: KeepReason[] = [];
    if ((rule.tags ?? []).some((tag) => item.tags?.includes(tag))) reasons.push('tag');
    if (since !== undefined && moment.nanoseconds > since) reasons.push('within');
    for (const bucket of buckets) {
      const value = bucketOf[bucket.word](moment, index);
      if (bucket.left === 0 || value === bucket.last) continue;
      bucket.last = value;
      bucket.left -= 1;
      reasons.push(bucket.word);
    }
    const takesPlace = index === dated.length - 1 && buckets.some(({ left }) => left > 0);
    return { item, reasons: takesPlace && reasons.length === 0 ? ['oldest'] : reasons };
  });
}

interface Moment {
  readonly nanoseconds: bigint;
  /** The calendar of its own offset. */
  readonly local: Date;
}

const bucketOf: Record<CountWord, (moment: Moment, index: number) => string> = {
  last: (_, index) => String(index),
  hourly: ({ local }) => local.toISOString().slice(0, 13),
  daily: ({ local }) => local.toISOString().slice(0, 10),
  weekly: ({ local }) => isoWeek(local),
  monthly: ({ local }) => local.toISOString().slice(0, 7),
  yearly: ({ local }) => local.toISOString().slice(0, 4),
};

function momentOf(time: string): Moment {
  const [, day, clock, fraction = '', sign, hours = '0', minutes = '0'] =
    /^(.{10})T(.{8})(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(time) ?? [];
  const local = new Date(`${day}T${clock}Z`);
  if (Number.isNaN(local.getTime())) throw new RangeError(`${time} is not the time of a snapshot.`);
  const offsetMs = (sign === '-' ? -60_000 : 60_000) * (Number(hours) * 60 + Number(minutes));
  const nanoseconds = BigInt(local.getTime() - offsetMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return { nanoseconds, local };
}

interface Dated {
  readonly item: Retainable;
  readonly moment: Moment;
}

function newestFirst(a: Dated, b: Dated): number {
  if (a.moment.nanoseconds !== b.moment.nanoseconds) return a.moment.nanoseconds < b.moment.nanoseconds ? 1 : -1;
  return a.item.id < b.item.id ? -1 : 1;
}

/** The beginning of the span that ends with the newest snapshot that is not of the future. */
function startOf(span: Span, dated: readonly Dated[], now: Date): bigint {
  const newest = dated.find(({ moment }) => moment.nanoseconds < BigInt(now.getTime()) * 1_000_000n)?.moment;
  if (newest === undefined) return 0n;
  const { local, nanoseconds } = newest;
  const back = new Date(local);
  back.setUTCFullYear(
    local.getUTCFullYear() - span.years,
    local.getUTCMonth() - span.months,
    local.getUTCDate() - span.days,
  );
  const ms = local.getTime() - back.getTime() + span.hours * hourMs;
  return nanoseconds - BigInt(ms) * 1_000_000n;
}

/** ISO 8601: the week belongs to the year that its Thursday is in. */
function isoWeek(local: Date): string {
  const thursday = new Date(local);
  thursday.setUTCDate(local.getUTCDate() + 4 - (local.getUTCDay() || 7));
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.ceil(((thursday.setUTCHours(0, 0, 0, 0) - newYear) / dayMs + 1) / 7);
  return `${thursday.getUTCFullYear()}-W${week}`;
}
