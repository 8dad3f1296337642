/** What goes into the audit: every act of operators, and what people do with their consent, their key and their snapshots. */
export const acts = [
  'consent-given',
  'consent-renewed',
  'consent-withdrawn',
  'consent-asked-again',
  'key-shown',
  'key-kept',
  'key-reissued',
  'foreign-key-removed',
  'erasure-chosen',
  'snapshots-erased',
  'retention-changed',
  'snapshots-forgotten',
  'data-pruned',
  'repository-repaired',
  'key-files-mended',
  'repository-moved',
  'repository-lost',
  'old-copy-deleted',
  'repository-adopted',
  'person-erased',
  'settings-changed',
  'sources-chosen',
  'changes-confirmed',
  'losses-accepted',
  'run-requested',
  'runs-retried',
  'plan-paused',
  'plan-resumed',
  'signed-out',
  'operator-signed-in',
  'files-restored',
  'names-read',
  'night-paused',
  'night-drained',
  'night-resumed',
  'queue-changed',
  'refusals-trusted',
  'provider-moved',
  'files-moved',
  'database-migrated',
  'keys-rotated',
  'key-retired',
  'rows-confirmed',
  'service-healed',
  'audit-exported',
  'state-exported',
  'state-imported',
] as const;

export type Act = (typeof acts)[number];

/** Through whom something happens, as events and the audit name them; `outside` is what other programs did to the queue. */
export const actorKinds = ['user', 'operator', 'command', 'provider', 'schedule', 'outside'] as const;

export type ActorKind = (typeof actorKinds)[number];

export interface Actor {
  kind: ActorKind;
  /** The id of the person; of a command, who ran it on which machine; null where nobody did. */
  id: string | null;
}

/** Takes `by` apart, as `operator:<user id>`; a kind that nobody knows counts as the schedule. */
export function readActor(by: string): Actor {
  const [word = '', ...rest] = by.split(':');
  const kind = actorKinds.find((known) => known === word) ?? 'schedule';
  const id = rest.join(':');
  return { kind, id: id === '' ? null : id };
}
