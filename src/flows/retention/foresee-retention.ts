import { findRepository } from '../../database/repositories/repositories.ts';
import type { RetentionFacts } from '../../database/repositories/retention.ts';
import type { RetentionRule } from '../../domain/retention/rule.ts';
import type { Resources } from '../../resources.ts';
import { openPersonHistory } from '../snapshots/open-history.ts';
import { foreseeSnapshots, type Judgement, judgeSnapshots, ruleOf } from './judge-snapshots.ts';

/**
 * What happens to a person's snapshots by their rule after the next backup, or would if they agreed to it. Throws like `openPersonHistory`, but
 * judges nothing before the first run.
 */
export async function foreseeRetention(
  resources: Resources,
  { userId, facts }: { userId: string; facts: RetentionFacts },
): Promise<Judgement> {
  const [now, rule] = [resources.clock.now(), ruleFor(resources, facts)];
  if ((await findRepository(resources.database, userId)) === null) return judgeSnapshots([], facts, { rule, now });
  const { snapshots } = await openPersonHistory(resources, userId);
  const then = { ...facts, agreedAt: facts.agreedAt ?? now };
  // Where Nightkeep may delete nothing, no backup lets anything go, but whoever runs nightkeep forget with another key.
  if (facts.hold === 'store/may-not-delete') return judgeSnapshots(snapshots, then, { rule, now });
  const next = new Date(Math.max(facts.nextDueAt.getTime(), now.getTime()));
  return foreseeSnapshots(snapshots, then, { rule, now, next });
}

/** The rule that the person agreed to, or the one of the service that they may agree to. */
function ruleFor({ config }: Pick<Resources, 'config'>, facts: RetentionFacts): RetentionRule {
  return facts.agreedAt === null ? config.retention : ruleOf(facts);
}
