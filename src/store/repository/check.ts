import type { AppError } from '../../errors.ts';
import type { PackId } from '../format/ids.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { packSize } from '../format/pack-header.ts';
import { nameAffectedFiles } from './affected-files.ts';
import { checkPack } from './check-pack.ts';
import { checkTrees } from './check-trees.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';

/** Which packs are read whole: every one, the n-th of t parts (1 ≤ n ≤ t ≤ 256; t nights read all), or a random share. */
export type ReadShare = 'none' | 'all' | { readonly part: number; readonly of: number } | { readonly percent: number };

export interface CheckOptions {
  /** 'none' by default. */
  readonly readData?: ReadShare;
  readonly signal?: AbortSignal;
  /** 0 to 1; for the random share. */
  readonly random?: () => number;
}

export interface CheckReport {
  /** What is wrong, with the pack and the files it affects where these are known. Empty: nothing is. */
  readonly findings: readonly Finding[];
  readonly snapshots: number;
  readonly packs: number;
  readonly packsRead: number;
  readonly bytesRead: number;
}

/**
 * Checks whether everything that the snapshots need is there and intact: indexes, sizes of packs, trees and their canonical
 * form, data blobs, and the content of the packs chosen. The caller opened the repository for this, and holds a lock on it.
 * An unavailable store ends it with an error; damage never does.
 */
export async function checkRepository(repository: Repository, options: CheckOptions = {}): Promise<CheckReport> {
  const findings: Finding[] = [];
  const damaged = (error: AppError) =>
    findings.push({ kind: 'file-damaged', severity: 'error', message: error.message });
  const snapshots = await Array.fromAsync(repository.listSnapshots(damaged));
  await repository.loadIndex(damaged);
  const packs = [...repository.index.packs()];
  const sizes = await sizesOfPacks(repository);
  for (const pack of packs) findings.push(...checkSize(pack, sizes.get(pack.id)));
  for await (const finding of checkTrees(repository, snapshots, options.signal)) findings.push(finding);
  const chosen = packs.filter(({ id }) => sizes.has(id) && isChosen(id, options));
  for (const pack of chosen) {
    options.signal?.throwIfAborted();
    findings.push(...(await checkPack(repository, pack)));
  }
  return {
    findings: await nameAffectedFiles(repository, snapshots, findings, options.signal),
    snapshots: snapshots.length,
    packs: sizes.size,
    packsRead: chosen.length,
    bytesRead: chosen.reduce((sum, { id }) => sum + (sizes.get(id) ?? 0), 0),
  };
}

async function sizesOfPacks({ backend }: Repository): Promise<Map<string, number>> {
  const files = await Array.fromAsync(backend.list('data'));
  return new Map(files.map(({ name, size }) => [name, size]));
}

function* checkSize({ id: packId, blobs }: IndexedPack, size: number | undefined): Generator<Finding> {
  const expected = packSize(blobs);
  const severity = 'error';
  if (size === undefined) {
    yield { kind: 'pack-missing', severity, packId, blobs, message: `The pack ${packId} is missing.` };
  } else if (size !== expected) {
    const cut = blobs.filter(({ offset, length }) => offset + length > size);
    const message = `The pack ${packId} has ${size} bytes; the index says ${expected}.`;
    yield { kind: 'pack-size', severity, packId, blobs: cut, message };
  }
  if (new Set(blobs.map(({ type }) => type)).size > 1) {
    yield { kind: 'pack-mixed', severity: 'hint', packId, message: `The pack ${packId} mixes data and trees.` };
  }
}

function isChosen(id: PackId, { readData = 'none', random = Math.random }: CheckOptions): boolean {
  if (typeof readData === 'string') return readData === 'all';
  if ('percent' in readData) return random() * 100 < readData.percent;
  return Number.parseInt(id.slice(0, 2), 16) % readData.of === readData.part - 1;
}
