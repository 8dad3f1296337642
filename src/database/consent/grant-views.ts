import { asRule, type RetentionRule } from '../../domain/retention/rule.ts';
import type { SourceAddress } from '../../domain/source-names.ts';
import type { Database } from '../client.ts';
import { readSources } from '../nights/plan-rows.ts';
import { type Erasure, findErasure } from '../repositories/erasures.ts';
import type { RevocationEnd } from './revocations.ts';

/** What a person sees of their consent. */
export interface GrantView {
  readonly id: string;
  readonly state: string;
  /** Why it is so, as a word. */
  readonly reason: string | null;
  readonly issuer: string;
  readonly scope: string;
  readonly lastExchangedAt: Date;
  readonly idleDeadline: Date;
  readonly maxDeadline: Date | null;
  /** When it is asked again, where it was refused. */
  readonly nextExchangeAt: Date | null;
  readonly endedAt: Date | null;
  readonly consents: readonly {
    readonly agreedAt: Date;
    readonly scope: string;
    readonly terms: unknown;
    readonly method: string;
  }[];
  readonly plans: readonly GrantedPlan[];
  /** Seconds that it lives unused, as the provider's tokens say; null while only the settings do. */
  readonly idleSeconds: number | null;
  /** Where the person may be mailed, and what they do not want to be mailed. */
  readonly user: { readonly email: string | null; readonly mutedMails: readonly string[] };
  /** What became of the token at the provider after a withdrawal; `outstanding` until then at the latest. */
  readonly revocation?: { readonly state: RevocationEnd | 'outstanding'; readonly at: Date } | undefined;
  readonly snapshots?: SnapshotsView;
}

/** What the consent is used for at night. */
export interface GrantedPlan {
  readonly zone: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  /** What is backed up, and its addresses with claims in braces. */
  readonly sources: readonly SourceAddress[];
  readonly paused: boolean;
  readonly nextDueAt: Date;
  /** Which snapshots stay; null: all, since nobody agreed that any go. */
  readonly kept: RetentionRule | null;
}

/** What becomes of a person's snapshots. */
export interface SnapshotsView {
  readonly kept: boolean;
  /** When they go; null: nobody said so. */
  readonly eraseAt: Date | null;
  /** The receipt of the last erasure. */
  readonly erased: Erasure | null;
}

/** Each with its terms, word for word; somebody may consent as often as they like. */
export const newestConsents = 20;

const columns = {
  id: true,
  state: true,
  reason: true,
  issuer: true,
  scope: true,
  lastExchangedAt: true,
  idleDeadline: true,
  maxDeadline: true,
  nextExchangeAt: true,
  endedAt: true,
  plans: {
    select: {
      zone: true,
      windowStart: true,
      windowEnd: true,
      sources: true,
      paused: true,
      nextDueAt: true,
      retention: true,
      retentionAgreedAt: true,
    },
  },
  idleSeconds: true,
  user: { select: { email: true, mutedMails: true } },
} as const;

/** A person's newest grant with what was agreed to, newest first, and of that the newest. */
export async function findGrantOfPerson(database: Database, { userId }: { userId: string }): Promise<GrantView | null> {
  const grant = await database.grant.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' }, select: columns });
  if (grant === null) return null;
  const [consents, revocation, repository, erased] = await Promise.all([
    database.consent.findMany({
      where: { grantId: grant.id },
      orderBy: { agreedAt: 'desc' },
      take: newestConsents,
      select: { agreedAt: true, scope: true, terms: true, method: true },
    }),
    grant.endedAt === null ? undefined : findRevocation(database, grant.id, grant.endedAt),
    database.repository.findUnique({ where: { userId }, select: { eraseAt: true } }),
    findErasure(database, userId),
  ]);
  const snapshots = { kept: repository !== null, eraseAt: repository?.eraseAt ?? null, erased };
  const plans = grant.plans.map(({ sources, retention, retentionAgreedAt, ...plan }) => ({
    ...plan,
    sources: readSources(sources),
    kept: retentionAgreedAt === null ? null : asRule(retention),
  }));
  return { ...grant, consents, plans, revocation, snapshots };
}

async function findRevocation(database: Database, grantId: string, since: Date): Promise<GrantView['revocation']> {
  const kept = { grantId, sealed: { not: null } };
  const outstanding = await database.tokenGeneration.findFirst({ where: kept, orderBy: { endsAt: 'desc' } });
  if (outstanding?.endsAt) return { state: 'outstanding', at: outstanding.endsAt };
  const ends: RevocationEnd[] = ['revoked', 'expired', 'shredded'];
  const about = { subjectKind: 'grant', subjectId: grantId, reason: 'withdrawn', at: { gte: since } };
  const told = await database.event.findFirst({ where: { ...about, to: { in: ends } }, orderBy: { id: 'desc' } });
  const state = ends.find((end) => end === told?.to);
  return told && state ? { state, at: told.at } : undefined;
}

/** One use of a person's consent: an exchange of the token, and what came of it. */
export interface ExchangeView {
  readonly id: string;
  readonly startedAt: Date;
  readonly answeredAt: Date | null;
  readonly purpose: string;
  readonly runId: string | null;
  /** The night of that run. */
  readonly night: string | null;
  readonly verdict: string | null;
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly hint: string | null;
}

/** Uses of a person's grants, newest first; those before `before`, the id of one of them. */
export async function listExchangesOfPerson(
  database: Database,
  { userId, before, limit }: { userId: string; before?: string | undefined; limit: number },
): Promise<ExchangeView[]> {
  const rows = await database.exchange.findMany({
    where: { grant: { userId } },
    orderBy: [{ startedAt: 'desc' }, { id: 'desc' }],
    ...(before !== undefined && { cursor: { id: before }, skip: 1 }),
    take: limit,
    select: {
      id: true,
      startedAt: true,
      answeredAt: true,
      purpose: true,
      runId: true,
      verdict: true,
      status: true,
      errorCode: true,
      hint: true,
    },
  });
  const runIds = rows.flatMap(({ runId }) => (runId === null ? [] : [runId]));
  const runs = await database.run.findMany({ where: { id: { in: runIds } }, select: { id: true, night: true } });
  const nights = new Map(runs.map(({ id, night }) => [id, night]));
  return rows.map((row) => ({ ...row, night: nights.get(row.runId ?? '') ?? null }));
}
