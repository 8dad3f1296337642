import type { RetentionFacts } from '../../database/repositories/retention.ts';
import { applyRule, type StayReason } from '../../domain/retention/apply-rule.ts';
import { asRule, isEmpty, pinned, type RetentionRule } from '../../domain/retention/rule.ts';
import { parseId, type SnapshotId } from '../../store/format/ids.ts';
import { timestamp, timestampMs } from '../../store/format/timestamp.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { isOwn, isPastTime } from '../nights/own-snapshots.ts';

/** Why nothing is forgotten for now, whatever the rule says. */
export type RetentionHold = 'not-agreed' | 'keeps-all' | 'alarm';

export interface JudgedSnapshot {
  readonly id: SnapshotId;
  readonly time: string;
  /** None: the rule lets it go. */
  readonly reasons: readonly StayReason[];
}

export interface Judgement {
  readonly rule: RetentionRule;
  readonly hold: RetentionHold | null;
  /** Newest first. */
  readonly snapshots: readonly JudgedSnapshot[];
  /** What goes: nothing while there is a hold. */
  readonly going: readonly SnapshotId[];
}

/**
 * Applies a person's rule to their snapshots. The newest, the newest complete one, pinned ones and those of other programs always stay; after a
 * great loss or change all of them do, until somebody has looked at it. What a clock that was ahead dated into the future stays until then, and takes
 * nobody's place: by a rule of days or a number, all that came after it would go instead.
 */
export function judgeSnapshots(
  saved: readonly SavedSnapshot[],
  facts: Pick<RetentionFacts, 'agreedAt' | 'alarmAt' | 'completeId'>,
  { rule, now }: { rule: RetentionRule; now: Date },
): Judgement {
  const { true: ours = [], false: foreign = [] } = Object.groupBy(saved, (one) => (isOwn(one) ? 'true' : 'false'));
  const judged = judgeItems(ours.map(itemOf), facts, { rule, now });
  const hold = holdOf(rule, facts);
  const going = hold === null ? judged.filter(({ reasons }) => reasons.length === 0).map(({ id }) => id) : [];
  const others = foreign.map(({ id, snapshot: { time } }) => ({ id, time, reasons: ['foreign'] as const }));
  return { rule, hold, going, snapshots: [...judged, ...others] };
}

/**
 * The same, with what will be forgotten after the next backup, which takes the place of the one that is now the newest of its day, week or month:
 * usually the one of the day before is forgotten then. The backup is assumed to come at `next`, and to be complete if the newest was.
 */
export function foreseeSnapshots(
  saved: readonly SavedSnapshot[],
  facts: Pick<RetentionFacts, 'agreedAt' | 'alarmAt' | 'completeId' | 'zone'>,
  { rule, now, next }: { rule: RetentionRule; now: Date; next: Date },
): Judgement {
  const judged = judgeSnapshots(saved, facts, { rule, now });
  const ours = saved.filter(isOwn).map(itemOf);
  if (judged.hold !== null || ours.length === 0) return judged;
  const coming: Item = { id: nextId, time: timestamp(next, facts.zone) };
  const newest = judged.snapshots.find(({ reasons }) => reasons.includes('newest'));
  const completeId = facts.completeId === newest?.id ? coming.id : facts.completeId;
  const then = new Date(next.getTime() + 1);
  const without = judgeItems([...ours, coming], { completeId }, { rule, now: then }).filter(
    ({ reasons }) => reasons.length === 0,
  );
  const going = new Set(without.map(({ id }) => id));
  const snapshots = judged.snapshots.map((one) => (going.has(one.id) ? { ...one, reasons: [] } : one));
  return { ...judged, going: [...going], snapshots };
}

/** None that is there has it. */
const nextId = parseId<SnapshotId>('0'.repeat(64));

/**
 * Of Nightkeep's snapshots that no longer exist, those that the rule would have kept: somebody else removed them. The others were forgotten as
 * agreed, though that may not be on record.
 */
export function removedAmong(
  absent: readonly Pick<JudgedSnapshot, 'id' | 'time'>[],
  saved: readonly SavedSnapshot[],
  facts: Pick<RetentionFacts, 'agreedAt' | 'alarmAt' | 'completeId'>,
  { rule, now }: { rule: RetentionRule; now: Date },
): SnapshotId[] {
  const ids = absent.map(({ id }) => id);
  if (absent.length === 0 || holdOf(rule, facts) !== null) return ids;
  const judged = judgeItems([...saved.filter(isOwn).map(itemOf), ...absent], facts, { rule, now });
  const kept = new Set(judged.filter(({ reasons }) => reasons.length > 0).map(({ id }) => id));
  return ids.filter((id) => kept.has(id));
}

interface Item extends Pick<JudgedSnapshot, 'id' | 'time'> {
  readonly tags?: readonly string[] | undefined;
}

function itemOf({ id, snapshot: { time, tags } }: SavedSnapshot): Item {
  return { id, time, tags };
}

function judgeItems(
  items: readonly Item[],
  { completeId }: Pick<RetentionFacts, 'completeId'>,
  { rule, now }: { rule: RetentionRule; now: Date },
): JudgedSnapshot[] {
  const { true: past = [], false: future = [] } = Object.groupBy(items, ({ time }) =>
    isPastTime(time, now) ? 'true' : 'false',
  );
  const ahead = future
    .toSorted((one, other) => timestampMs(other.time) - timestampMs(one.time))
    .map(({ id, time }) => ({ id, time, reasons: ['future'] as const }));
  const judged = applyRule(past, rule, now).map(({ item: { id, time, tags }, reasons }, index) => {
    const always: StayReason[] = [
      ...(index === 0 ? (['newest'] as const) : []),
      ...(id === completeId ? (['complete'] as const) : []),
      ...(tags?.includes(pinned) ? (['pinned'] as const) : []),
    ];
    return { id, time, reasons: [...reasons, ...always] };
  });
  return [...ahead, ...judged];
}

/** The rule that the person's plan has. */
export function ruleOf({ rule }: Pick<RetentionFacts, 'rule'>): RetentionRule {
  return asRule(rule);
}

function holdOf(
  rule: RetentionRule,
  { agreedAt, alarmAt }: Pick<RetentionFacts, 'agreedAt' | 'alarmAt'>,
): RetentionHold | null {
  if (agreedAt === null) return 'not-agreed';
  if (isEmpty(rule)) return 'keeps-all';
  return alarmAt === null ? null : 'alarm';
}
