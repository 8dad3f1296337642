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
}

/** The card in a text that was sealed, and so is as it was written; undefined where a later version wrote it. */
export function readCard(text: string): WrittenCard | undefined {
  const card = JSON.parse(text);
  return card.version === 1 ? card : undefined;
}

/** Of several cards beside one repository the one that was written last counts. */
export type WrittenCard = RepositoryCard & { readonly writtenAt: string };

/** The plan in a column that holds one; null where there is none. */
export function readFormerPlan(saved: unknown): FormerPlan | null {
  if (typeof saved !== 'object' || saved === null) return null;
  const text = (name: string) => {
    const value = new Map<string, unknown>(Object.entries(saved)).get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const [zone, windowStart, windowEnd] = [text('zone'), text('windowStart'), text('windowEnd')];
  if (zone === undefined || windowStart === undefined || windowEnd === undefined) return null;
  const retention = 'retention' in saved ? saved.retention : {};
  return { zone, windowStart, windowEnd, retention, retentionAgreedAt: text('retentionAgreedAt') ?? null };
}
