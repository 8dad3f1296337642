import { dayMs } from '../durations.ts';

/** What is written beside a repository, sealed, so that it can be taken over where the database is lost. */
export interface RepositoryCard {
  readonly version: 1;
  readonly repositoryId: string;
  readonly createdAt: string;
  /** Issuer and subject are the person, wherever they sign in; the rest is for people and records. */
  readonly owner: {
    readonly userId: string;
    readonly issuer: string;
    readonly subject: string;
    readonly username: string | null;
  };
  /** The password that Nightkeep itself opens the repository with. */
  readonly password: string;
  /** The key file that the person's recovery key opens, and since when they are known to have that key. */
  readonly recovery: { readonly keyFile: string | null; readonly keptAt: string | null };
  /** Null: the person has not consented since the repository was taken over. */
  readonly plan: FormerPlan | null;
  /** When the person wished that it is erased. */
  readonly eraseAt: string | null;
}

/** A plan as it was in an installation that is lost. */
export interface FormerPlan {
  readonly zone: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  /** As the plan has it; `asRule` reads it. */
  readonly retention: unknown;
  /** Since when the person agreed that snapshots go by it; null: all of them stay. */
  readonly retentionAgreedAt: string | null;
  /** The last backup with a great loss or change that nobody has looked at: until somebody has, nothing is forgotten. */
  readonly alarm?: FormerAlarm;
}

/** Of that backup what holds the retention, and what people are told of it. */
export interface FormerAlarm {
  readonly kind: 'loss' | 'change' | 'root';
  readonly night: string;
  readonly endedAt: string;
  readonly state: 'succeeded' | 'partial';
  readonly snapshotId: string;
  readonly heldSnapshotId: string | null;
}

/** The card in a text that was sealed, and so is as it was written; undefined where a later version wrote it. */
export function readCard(text: string): WrittenCard | undefined {
  const card = JSON.parse(text);
  return card.version === 1 ? card : undefined;
}

/** Of several cards beside one repository the one that was written last counts. */
export type WrittenCard = RepositoryCard & { readonly writtenAt: string };

/** Nothing is erased within a month of its adoption, whatever an old card says: there is time to agree again. */
const graceMs = 30 * dayMs;

/** When the snapshots are erased of somebody whose card is taken over now. */
export function eraseAtOfCard({ eraseAt }: Pick<RepositoryCard, 'eraseAt'>, now: Date): Date | null {
  return eraseAt === null ? null : new Date(Math.max(Date.parse(eraseAt), now.getTime() + graceMs));
}

/** The plan in a column that holds one; null where there is none. */
export function readFormerPlan(saved: unknown): FormerPlan | null {
  if (typeof saved !== 'object' || saved === null) return null;
  const text = textIn(saved);
  const [zone, windowStart, windowEnd] = [text('zone'), text('windowStart'), text('windowEnd')];
  if (zone === undefined || windowStart === undefined || windowEnd === undefined) return null;
  const retention = 'retention' in saved ? saved.retention : {};
  const alarm = 'alarm' in saved ? readAlarm(saved.alarm) : undefined;
  const retentionAgreedAt = text('retentionAgreedAt') ?? null;
  return { zone, windowStart, windowEnd, retention, retentionAgreedAt, ...(alarm && { alarm }) };
}

function readAlarm(saved: unknown): FormerAlarm | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const text = textIn(saved);
  const kind = (['loss', 'change', 'root'] as const).find((one) => one === text('kind'));
  const state = (['succeeded', 'partial'] as const).find((one) => one === text('state'));
  const [night, endedAt, snapshotId] = [text('night'), text('endedAt'), text('snapshotId')];
  if (kind === undefined || state === undefined || night === undefined || endedAt === undefined) return undefined;
  if (snapshotId === undefined) return undefined;
  return { kind, night, endedAt, state, snapshotId, heldSnapshotId: text('heldSnapshotId') ?? null };
}

function textIn(saved: object): (name: string) => string | undefined {
  const members = new Map<string, unknown>(Object.entries(saved));
  return (name) => {
    const value = members.get(name);
    return typeof value === 'string' ? value : undefined;
  };
}
