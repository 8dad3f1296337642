import type { PackId } from '../format/ids.ts';
import { checkPack } from '../repository/check-pack.ts';
import type { Finding } from '../repository/finding.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * The packs among these findings that are damaged at a second reading as well, for `repairPacks`; one bad read is no damage. The index of the
 * repository is loaded.
 */
export async function confirmDamage(
  repository: Repository,
  findings: readonly Finding[],
  signal?: AbortSignal,
): Promise<Set<PackId>> {
  const { index } = repository;
  const damaged = new Set<PackId>();
  for (const id of new Set(findings.flatMap((finding) => packsOf(repository, finding)))) {
    signal?.throwIfAborted();
    const findings = await checkPack(repository, index.pack(id));
    if (findings.length > 0) damaged.add(id);
  }
  return damaged;
}

/** A tree that cannot be read is damaged in every pack that has it. */
function packsOf({ index }: Repository, { kind, packId, blobs = [] }: Finding): PackId[] {
  if (kind !== 'tree-damaged') return kind === 'pack-damaged' || kind === 'pack-size' ? [packId ?? []].flat() : [];
  return blobs.flatMap(({ type, id }) => index.findAll(type, id).map((found) => found.packId));
}
