import { lstatSync } from 'node:fs';
import type { Node } from '../format/node.ts';
import { pathForSystem } from './attributes.ts';
import { errnoOf } from './target-errors.ts';
import { settableTime } from './times.ts';

/** What happens to entries that are there already, in restic's words. */
export const overwriteWords = ['always', 'if-changed', 'if-newer', 'never'] as const;
export type Overwrite = (typeof overwriteWords)[number];

/**
 * What is to be done about an entry of the snapshot: it is written; what is there is kept as it is; its content is taken to be right;
 * or that must be read first.
 */
export type Decision = 'write' | 'keep' | 'believe' | 'compare';

/** Looks at what is there. Throws what the system says. */
export function decide(path: string, node: Node, overwrite: Overwrite): Decision {
  const found = lookAt(path);
  if (found === undefined) return 'write';
  if (overwrite === 'never') return 'keep';
  const { moment } = settableTime(node.mtime);
  const mtime = BigInt(moment.seconds) * 1_000_000_000n + BigInt(moment.nanoseconds);
  if (overwrite === 'if-newer' && found.mtimeNs >= mtime) return 'keep';
  if (node.type !== 'file' || !found.isFile() || found.size !== BigInt(node.size)) return 'write';
  return overwrite === 'if-changed' && found.mtimeNs === mtime ? 'believe' : 'compare';
}

/** What is at the path itself, links not followed; undefined where nothing is. */
export function lookAt(path: string) {
  try {
    return lstatSync(pathForSystem(path), { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
