import { type AppError, isAppError } from '../../errors.ts';
import type { MemoryBudget } from '../../memory-budget.ts';
import type { TreeId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { ArchivedRoot, ArchivedSource, ArchiveRepository, Listing, Member, Problem } from './contract.ts';
import type { DepthFirst } from './depth-first.ts';
import type { CountBelow } from './parent.ts';
import type { Pending } from './pending.ts';
import type { Sealing } from './sealing.ts';
import type { Spots } from './spots.ts';
import type { Counts, EmptiedFolder, Seen } from './tally.ts';

/** A problem, the name of the root it belongs to, and whether the parent's copy stands in. */
export interface ArchiveProblem extends Problem {
  readonly root: string;
  readonly kept: boolean;
  /** It is of a folder, with all below it; absent where that is not known. */
  readonly folder?: true;
}

/** One root being archived. */
export interface Run {
  readonly source: ArchivedSource;
  readonly root: ArchivedRoot;
  readonly repository: ArchiveRepository;
  readonly countBelow: CountBelow;
  readonly sealing: Sealing;
  readonly checkpoints: Checkpoints;
  readonly walk: DepthFirst;
  /** Entries that were handed over and have no outcome yet. */
  readonly pending: Pending;
  readonly signal: AbortSignal;
  readonly counts: Counts;
  readonly problems: ArchiveProblem[];
  /** Trees that this run has handed to the sealing already. */
  readonly savedTrees: Set<TreeId>;
  readonly seen: Seen;
  /** Of this root; see `RootChanges`. */
  readonly emptied: EmptiedFolder[];
  /** The folder that the entry begun last is in. */
  readonly at: { folder: string | null };
  /** Counts all bytes that were read; see `openCollector`. */
  readonly passed: (bytes: number) => void;
  /** Whether every folder is listed. */
  readonly listAll: boolean;
  /** Whether every folder is listed and every entry read. */
  readonly readAll: boolean;
  /** Which unchanged entries are read again. */
  readonly spots: Spots;
  /** Names of roots in which something differs from the parent although its validator is the same. */
  readonly unreliable: Set<string>;
  /** Nodes of entries that were compared with their source, and are the same. */
  readonly compared: FileNode[];
  /** Packs that kept a checked entry from being restored. */
  readonly damagedPacks: Set<string>;
  /** For the members of all folders that are being archived at once. */
  readonly memory: MemoryBudget;
  /** Members listed so far, of all roots, and how many there may be. */
  readonly listed: { members: number; readonly most: number };
  /** How often in a row the server gave no response, or too slowly. */
  outages: number;
}

/** A member and its path from the root. */
export interface Place {
  readonly member: Member;
  readonly path: string;
  /** The folder that lists it; the root is in none. */
  readonly within?: Enclosing;
  /** What an archive that was interrupted had made of it. */
  readonly done?: Node | undefined;
  /** The parent's node, where the entry is listed as unchanged and will be checked. */
  readonly unchanged?: FileNode;
}

/** A folder as what is in it knows it. */
export interface Enclosing extends Place {
  /** Its path from the top of the snapshot. */
  readonly fromTop: string;
  listing?: Listing;
  /** Its second listing, where something that it lists was not found. */
  relisting?: Promise<Listing | undefined>;
}

/**
 * After this many requests in a row without a response, or with one that was too slow, the root is listed to see whether the server is there at
 * all.
 */
const outagesUntilProbe = 32;

/** Throws what must end the run: an abort, a refused token, and a fault that is not the source's. */
export function throwUnlessProblem(run: Run, error: unknown): asserts error is AppError {
  run.signal.throwIfAborted();
  if (!isAppError(error) || !error.code.startsWith('source/') || error.code === 'source/unauthorized') throw error;
}

/** The path from the top of the snapshot of what is at this path in the root. */
export function pathFromTop({ root }: Pick<Run, 'root'>, path: string): string {
  return path === '' ? root.name : `${root.name}/${path}`;
}

/**
 * Records that a member could not be read, and whether the parent's copy of it is kept. Throws when the server does not
 * even list its root any more.
 */
export async function recordProblem(
  run: Run,
  path: string,
  error: AppError,
  about: Pick<ArchiveProblem, 'kept' | 'folder'>,
): Promise<void> {
  run.problems.push({ root: run.root.name, path, code: error.code, message: error.message, ...about });
  if (error.code !== 'source/unavailable' && error.code !== 'source/too-slow') return;
  run.outages++;
  if (run.outages < outagesUntilProbe) return;
  await run.source.list(run.root.collection, run.signal);
  run.outages = 0;
}
