import type { Database } from '../client.ts';
import { readPerson } from '../people/users.ts';
import { readSources } from './plan-rows.ts';

/** What the home page says of one person. */
export interface HomeView {
  readonly grant: { readonly state: string; readonly maxDeadline: Date | null; readonly createdAt: Date } | null;
  readonly plan: PlanView | null;
  readonly repository: {
    readonly recoverySeenAt: Date | null;
    readonly recoveryKeptAt: Date | null;
    /** When all of it is to go, where the consent was withdrawn; long ago where it is going. */
    readonly eraseAt: Date | null;
  } | null;
  /** Newest first. */
  readonly runs: readonly RunLine[];
  /** The last run that brought everything, of those whose snapshot is still there. */
  readonly lastComplete: { readonly id: string; readonly finishedAt: Date | null } | null;
}

export interface PlanView {
  readonly id: string;
  readonly zone: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly nextDueAt: Date;
  readonly paused: boolean;
  /** When nights go on by themselves, of a pause that the person asked for. */
  readonly pausedUntil: Date | null;
  readonly sources: readonly { readonly name: string; readonly url: string }[];
}

/** A run as a line of a list. */
export interface RunLine {
  readonly id: string;
  readonly night: string;
  readonly trigger: string;
  readonly state: string;
  readonly queuedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly plan: { readonly zone: string };
}

export interface RunView extends RunLine {
  /** Not taken by a worker before. */
  readonly dueAt: Date;
  /** No further try begins after this. */
  readonly triedUntil: Date;
  readonly snapshotId: string | null;
  /** When it went by the retention agreed on, or, where it was removed from outside, when that was looked at. */
  readonly snapshotForgottenAt: Date | null;
  readonly snapshotRemoved: boolean;
  readonly snapshotLost: boolean;
  readonly snapshotRepairedAt: Date | null;
  readonly counts: unknown;
  readonly problems: unknown;
  readonly problemCount: number;
  readonly goneFolders: unknown;
  readonly message: string | null;
  readonly errorCode: string | null;
  /** loss or change, where enough is gone or changed for somebody to look at it. */
  readonly unreliableRoots: readonly string[];
  readonly alarm: string | null;
  readonly alarmSeenAt: Date | null;
}

export const runLineColumns = {
  id: true,
  night: true,
  trigger: true,
  state: true,
  queuedAt: true,
  startedAt: true,
  finishedAt: true,
  plan: { select: { zone: true } },
} as const;

const runColumns = {
  ...runLineColumns,
  dueAt: true,
  triedUntil: true,
  snapshotId: true,
  snapshotForgottenAt: true,
  snapshotRemoved: true,
  snapshotLost: true,
  snapshotRepairedAt: true,
  counts: true,
  problems: true,
  problemCount: true,
  goneFolders: true,
  message: true,
  errorCode: true,
  unreliableRoots: true,
  alarm: true,
  alarmSeenAt: true,
} as const;

const planColumns = {
  id: true,
  zone: true,
  windowStart: true,
  windowEnd: true,
  nextDueAt: true,
  paused: true,
  pausedUntil: true,
  sources: true,
} as const;

/** Everything that the home page needs of a person, who may have nothing yet. */
export async function findHome(database: Database, { userId }: { userId: string }): Promise<HomeView> {
  const ofPerson = { plan: { userId } };
  const newest = { queuedAt: 'desc' } as const;
  const columns = { state: true, maxDeadline: true, createdAt: true } as const;
  const [grant, plan, repository, runs, lastComplete] = await Promise.all([
    database.grant.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' }, select: columns }),
    findPlanOfPerson(database, { userId }),
    database.repository.findFirst({
      where: { userId },
      select: { recoverySeenAt: true, recoveryKeptAt: true, eraseAt: true },
    }),
    database.run.findMany({ where: ofPerson, orderBy: newest, take: 6, select: runLineColumns }),
    database.run.findFirst({
      where: { ...ofPerson, state: 'succeeded', snapshotId: { not: null }, snapshotForgottenAt: null },
      orderBy: { finishedAt: 'desc' },
      select: { id: true, finishedAt: true },
    }),
  ]);
  return { grant, plan, repository, runs, lastComplete };
}

/** The plan of a person's newest consent, or null. */
export async function findPlanOfPerson(database: Database, { userId }: { userId: string }): Promise<PlanView | null> {
  const newest = { createdAt: 'desc' } as const;
  const plan = await database.plan.findFirst({ where: { userId }, orderBy: newest, select: planColumns });
  return plan && { ...plan, sources: readSources(plan.sources) };
}

/** A person's run; null also for a run that is somebody else's. */
export async function findRunOfPerson(
  database: Database,
  { userId, runId }: { userId: string; runId: string },
): Promise<RunView | null> {
  return database.run.findFirst({ where: { id: runId, plan: { userId } }, select: runColumns });
}

export interface Person {
  readonly subject: string;
  readonly username: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Who a person is at their provider, as it told of them last. Throws where nobody has that id. */
export async function getPerson(database: Database, { userId }: { userId: string }): Promise<Person> {
  const select = { subject: true, username: true, claims: true } as const;
  const { username, ...person } = await database.user.findUniqueOrThrow({ where: { id: userId }, select });
  return { username, ...readPerson(person) };
}
