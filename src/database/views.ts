import type { Database } from './client.ts';

/** What the home page says of one person. */
export interface HomeView {
  readonly grant: { readonly state: string } | null;
  readonly plan: PlanView | null;
  readonly repository: { readonly location: string; readonly recoverySeenAt: Date | null } | null;
  /** Newest first. */
  readonly runs: readonly RunView[];
  readonly lastGood: RunView | null;
}

export interface PlanView {
  readonly id: string;
  readonly zone: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly nextDueAt: Date;
  readonly paused: boolean;
}

export interface RunView {
  readonly id: string;
  readonly night: string;
  readonly trigger: string;
  readonly state: string;
  readonly queuedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly snapshotId: string | null;
  readonly counts: unknown;
  readonly problems: unknown;
  readonly problemCount: number;
  readonly message: string | null;
  readonly plan: { readonly zone: string };
}

export interface GrantView {
  readonly id: string;
  readonly state: string;
  readonly issuer: string;
  readonly scope: string;
  readonly lastExchangedAt: Date;
  readonly idleDeadline: Date;
  readonly maxDeadline: Date | null;
  readonly consents: readonly { readonly agreedAt: Date; readonly scope: string; readonly terms: unknown }[];
  readonly plans: readonly { readonly zone: string }[];
}

export interface ExchangeView {
  readonly startedAt: Date;
  readonly purpose: string;
  readonly runId: string | null;
  readonly verdict: string | null;
}

const runColumns = {
  id: true,
  night: true,
  trigger: true,
  state: true,
  queuedAt: true,
  startedAt: true,
  finishedAt: true,
  snapshotId: true,
  counts: true,
  problems: true,
  problemCount: true,
  message: true,
  plan: { select: { zone: true } },
} as const;

/** Everything that the home page needs of a person, who may have nothing yet. */
export async function findHome(database: Database, { userId }: { userId: string }): Promise<HomeView> {
  const ofPerson = { plan: { userId } };
  const newest = { queuedAt: 'desc' } as const;
  const [grant, plan, repository, runs, lastGood] = await Promise.all([
    database.grant.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' }, select: { state: true } }),
    database.plan.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' } }),
    database.repository.findUnique({ where: { userId }, select: { location: true, recoverySeenAt: true } }),
    database.run.findMany({ where: ofPerson, orderBy: newest, take: 14, select: runColumns }),
    database.run.findFirst({
      where: { ...ofPerson, state: { in: ['succeeded', 'partial'] } },
      orderBy: { finishedAt: 'desc' },
      select: runColumns,
    }),
  ]);
  return { grant, plan, repository, runs, lastGood };
}

/** A person's run; null also for a run that is somebody else's. */
export async function findRunOfPerson(
  database: Database,
  { userId, runId }: { userId: string; runId: string },
): Promise<RunView | null> {
  return database.run.findFirst({ where: { id: runId, plan: { userId } }, select: runColumns });
}

/** A person's newest grant with what was agreed to, newest first. */
export async function findGrantOfPerson(database: Database, { userId }: { userId: string }): Promise<GrantView | null> {
  return database.grant.findFirst({
    where: { userId },
    orderBy: { createdAt: 'desc' },
    select: {
      id: true,
      state: true,
      issuer: true,
      scope: true,
      lastExchangedAt: true,
      idleDeadline: true,
      maxDeadline: true,
      consents: { orderBy: { agreedAt: 'desc' }, select: { agreedAt: true, scope: true, terms: true } },
      plans: { select: { zone: true } },
    },
  });
}

/** The last hundred uses of a person's grants, newest first. */
export async function listExchangesOfPerson(
  database: Database,
  { userId }: { userId: string },
): Promise<readonly ExchangeView[]> {
  return database.exchange.findMany({
    where: { grant: { userId } },
    orderBy: { startedAt: 'desc' },
    take: 100,
    select: { startedAt: true, purpose: true, runId: true, verdict: true },
  });
}

/** Who a person is at their provider. Throws where nobody has that id. */
export async function getPerson(
  database: Database,
  { userId }: { userId: string },
): Promise<{ subject: string; username: string | null }> {
  return database.user.findUniqueOrThrow({ where: { id: userId }, select: { subject: true, username: true } });
}
