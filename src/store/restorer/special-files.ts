import { rmSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { AppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';
import type { SpecialNode } from '../format/node.ts';
import { attributesOf, pathForSystem, permissions, setOfFile } from './attributes.ts';
import { type ExactAttributes, exactAttributesOf } from './exact-attributes.ts';
import { lookAt } from './existing.ts';
import { attempt, type FolderReport } from './report.ts';
import { callSystem, type SystemCall } from './system-calls.ts';
import { errnoError } from './target-errors.ts';

/** A device or a pipe of the snapshot; its path is below the target. */
export interface SpecialEntry {
  readonly path: string;
  readonly node: SpecialNode & { readonly type: keyof typeof fileTypes };
}

/** Bits of a file's type, as the system knows them. */
const fileTypes = { dev: 0o060000, chardev: 0o020000, fifo: 0o010000 } as const;

/** Whether it can be made: a socket is there only as long as a program listens on it, and restic makes none either. */
export function canBeMade(node: SpecialNode): node is SpecialEntry['node'] {
  return node.type !== 'socket';
}

/**
 * Makes devices and pipes below the folder, in place of whatever file is there, with their attributes; devices are for root alone. What
 * was not made is a problem on the report. Answers what is left to set of the others.
 */
export async function makeSpecialFiles(
  entries: readonly SpecialEntry[],
  folder: string,
  report: FolderReport,
): Promise<readonly ExactAttributes[]> {
  const free = entries.filter((entry) =>
    attempt({ folder, report }, entry.path, () => makeRoom(`${folder}/${entry.path}`)),
  );
  if (free.length === 0) return [];
  const failed = await callSystem(free.map((entry) => callFor(entry, folder)));
  const errnos = new Map(failed?.map(({ call: { path }, errno }) => [path, getSystemErrorName(-errno)]));
  return free.flatMap((entry) => {
    const at = `${folder}/${entry.path}`;
    const errno = errnos.get(at);
    const isMade = attempt({ folder, report }, entry.path, () => {
      if (failed === undefined) throw notMade(entry, 'that needs Perl, on Linux');
      if (errno === 'EPERM' && entry.node.type !== 'fifo') throw notMade(entry, 'only root may make devices');
      if (errno !== undefined) throw errnoError(errno, folder, entry.path);
      setOfFile(at, attributesOf(entry.node));
    });
    if (!isMade) return [];
    report.specials++;
    return exactAttributesOf(entry.node, entry.path) ?? [];
  });
}

function makeRoom(path: string): void {
  const found = lookAt(path);
  if (found !== undefined && !found.isDirectory()) rmSync(pathForSystem(path));
}

function callFor({ path, node }: SpecialEntry, folder: string): SystemCall {
  const device = node.type === 'fifo' ? 0 : Number(BigInt.asUintN(32, BigInt(node.device ?? 0)));
  return {
    kind: 'node',
    path: `${folder}/${path}`,
    mode: fileTypes[node.type] + (permissions(node.mode) % 0o1000),
    device,
  };
}

function notMade({ path }: SpecialEntry, why: string): AppError {
  return new AppError('restore/not-written', `Could not make ${shownName(path)}: ${why}.`);
}
