import type { AgreedRuleFacts, ErasureFacts, PersonFacts, PlaceFacts, PlanFacts } from '../domain/row-facts.ts';
import type { Binding } from './seal.ts';

interface GrantOwner {
  userId: string;
  grantId: string;
}

/** Everything that is sealed, with what it is bound to. The strings stand in stored values: none of them may change. */
export const purposes = {
  /** A generation of the offline token of a grant. */
  offlineToken: ({ userId, grantId }: GrantOwner, number: number): Binding => ({
    purpose: 'offline token',
    owner: `${userId}/${grantId}/${number}`,
  }),
  /** The private key that the tokens of a grant are bound to (RFC 9449). */
  dpopKey: ({ userId, grantId }: GrantOwner): Binding => ({ purpose: 'DPoP key', owner: `${userId}/${grantId}` }),
  /** The password that Nightkeep itself opens a repository with, at its place and for its owner. */
  repositoryPassword: ({ id, userId, location, store }: PlaceFacts): Binding => ({
    purpose: 'repository password',
    owner: stable([id, userId, location, store]),
  }),
  /** The same as it was sealed before owner and place belonged to it. */
  unboundRepositoryPassword: (repositoryId: string): Binding => ({
    purpose: 'repository-password',
    owner: repositoryId,
  }),
  /** The row of a person: nothing is sealed in it but who they are. */
  person: ({ id, issuer, subject, username, claims }: PersonFacts): Binding => ({
    purpose: 'person',
    owner: stable([id, issuer, subject, username, claims]),
  }),
  /** The row of a plan: nothing is sealed in it but what is read with whose consent. */
  plan: ({ userId, grantId, sources }: PlanFacts): Binding => ({
    purpose: 'plan',
    owner: stable([userId, grantId, sources]),
  }),
  /** When the snapshots of a repository are erased: that is sealed, for this repository. */
  erasure: ({ id, userId }: Pick<ErasureFacts, 'id' | 'userId'>): Binding => ({
    purpose: 'erasure',
    owner: stable([id, userId]),
  }),
  /** By which rule snapshots go: that is sealed, for this plan. */
  agreedRule: ({ id, userId }: Pick<AgreedRuleFacts, 'id' | 'userId'>): Binding => ({
    purpose: 'retention rule',
    owner: stable([id, userId]),
  }),
  /** The card beside the repository of this place, by the name of its folder: at no other place it opens. */
  repositoryCard: (location: string): Binding => ({ purpose: 'repository card', owner: location }),
  /** How new the rows of a person are, in a file of the store. */
  rowMark: (userId: string): Binding => ({ purpose: 'row mark', owner: userId }),
  /** The recovery key of a repository, until the person has seen it. */
  recoveryKey: (repositoryId: string): Binding => ({ purpose: 'recovery-key', owner: repositoryId }),
  /** A token on this machine's disk that the database does not have yet. */
  spooledAnswer: (exchangeId: string): Binding => ({ purpose: 'spooled answer', owner: exchangeId }),
  /** A part of an export of Nightkeep's own state, by its number in that export. */
  exportedState: (exportId: string, number: number): Binding => ({
    purpose: 'exported state',
    owner: `${exportId}/${number}`,
  }),
  /** What shows at start that the keyring still holds a key. */
  canary: (keyId: string): Binding => ({ purpose: 'canary', owner: keyId }),
  /** A cookie of this kind, in whichever browser. */
  cookie: (kind: string): Binding => ({ purpose: `cookie ${kind}`, owner: 'browser' }),
} as const;

/** JSON in which the members of objects are sorted: PostgreSQL keeps them in an order of its own. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
