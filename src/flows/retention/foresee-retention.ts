import { findRepository } from '../../database/repositories.ts';
import type { RetentionFacts } from '../../database/retention.ts';
import type { RetentionRule } from '../../domain/retention/rule.ts';
import type { Resources } from '../../resources.ts';
import { openPersonHistory } from '../snapshots/open-history.ts';
import { type Judgement, judgeSnapshots, ruleOf } from './judge-snapshots.ts';

/**
 * What becomes of a person's snapshots by their rule: as it would be if they agreed, where they have not. Throws as `openPersonHistory`,
 * but knows nothing to judge before the first run.
 */
export async function foreseeRetention(
  resources: Resources,
  { userId, facts }: { userId: string; facts: RetentionFacts },
): Promise<Judgement> {
  const [now, rule] = [resources.clock.now(), ruleFor(resources, facts)];
  if ((await findRepository(resources.database, userId)) === null) return judgeSnapshots([], facts, { rule, now });
  const { snapshots } = await openPersonHistory(resources, userId);
  return judgeSnapshots(snapshots, { ...facts, agreedAt: facts.agreedAt ?? now }, { rule, now });
}

/** The rule that the person agreed to, or the one of the service that they may agree to. */
function ruleFor({ config }: Pick<Resources, 'config'>, facts: RetentionFacts): RetentionRule {
  return facts.agreedAt === null ? config.retention : ruleOf(facts);
}
