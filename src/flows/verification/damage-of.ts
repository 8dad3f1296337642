import { type Damage, mostMarks, mostNames } from '../../domain/damage.ts';
import { escapedName } from '../../file-name.ts';
import type { Finding } from '../../store/repository/finding.ts';

/** What a check found, as it is kept on record; undefined where nothing is wrong. */
export function damageOf(
  findings: readonly Finding[],
  { recoveryKeyFile, mayDelete }: { recoveryKeyFile: string | null; mayDelete: boolean },
): Damage | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return undefined;
  return {
    marks: [...new Set(errors.flatMap(marksOf))].slice(0, mostMarks),
    files: lostFiles(errors),
    snapshots: errors.flatMap(({ kind, snapshotId }) => (kind === 'snapshot-missing' ? [] : (snapshotId ?? []))),
    removed: errors.flatMap(({ kind, snapshotId }) => (kind === 'snapshot-missing' ? (snapshotId ?? []) : [])),
    recoveryKey: errors.some(({ keyId }) => keyId !== undefined && keyId === recoveryKeyFile),
    isSuperseded: !mayDelete && errors.every(isSuperseded),
  };
}

/** Whether no snapshot needs anything of the pack that is not whole in another one. Nothing is known of packs that no finding names. */
function isSuperseded({ kind, files = [], more }: Finding): boolean {
  return ['pack-damaged', 'pack-size', 'pack-missing'].includes(kind) && files.length === 0 && more === undefined;
}

/** Those of its blobs, which are missing once a pack is gone as well; else that of the file on the store. */
function marksOf({ kind, blobs = [], packId, keyId, snapshotId, message }: Finding): string[] {
  if (blobs.length > 0) return blobs.map(({ type, id }) => `${type} ${id.slice(0, 16)}`);
  return [`${kind} ${packId ?? keyId ?? snapshotId ?? message}`.slice(0, 100)];
}

function lostFiles(errors: readonly Finding[]): Damage['files'] {
  const snapshots = new Map<string, Set<string>>();
  for (const { path, snapshot } of errors.flatMap(({ files = [] }) => files)) {
    const known = snapshots.get(path) ?? new Set();
    if (known.size === 0 && snapshots.size >= mostNames) continue;
    snapshots.set(path, known.add(snapshot));
  }
  return Array.from(snapshots, ([path, ids]) => ({ path: escapedName(path), snapshots: [...ids] })).sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}
