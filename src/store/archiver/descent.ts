import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import { piecesOf, sortedInPieces } from '../../pieces.ts';
import type { Listing } from './contract.ts';
import type { Enclosing } from './run.ts';

/**
 * A tree may hold itself: links that lead up, mounts, a server that lists the same whatever it is asked. Each of these ends a
 * branch, which is then a problem like a folder that cannot be listed.
 */

/**
 * How far down a folder may be. Stock restic restores by one path, which Linux takes up to 4,096 bytes of: 3,000 leave room for
 * the name of an entry (255) and for the folder that is restored into. 200 folders of names of 14 bytes are as long; no
 * tree that people made is known to be deeper.
 */
export const deepest = { folders: 200, pathBytes: 3_000 };

/** This many nested folders with identical listings are taken for one folder that contains itself. */
const mostAlike = 16;
/** Where it holds itself in several places there are far more of them before that; so many in all are enough. */
const mostAlikeInAll = 500;

/** Throws `source/too-deep`, or `source/loop` for a folder that is one of those it is in, by what its source says. */
export function refuseDescent({ member, path, within }: Enclosing): void {
  const above = [...enclosing(within)];
  if (above.length > deepest.folders)
    throw new AppError(
      'source/too-deep',
      `It is more than ${deepest.folders} folders deep, which is deeper than backups go.`,
    );
  if (nameToBytes(path).length > deepest.pathBytes)
    throw new AppError(
      'source/too-deep',
      `Its path is longer than ${deepest.pathBytes} bytes, which no restore could write.`,
    );
  if (member.identity !== undefined && above.some((one) => one.member.identity === member.identity)) throw loop();
}

/** Throws `source/loop` for a folder that lists the same as too many of those it is in. */
export async function refuseRepetition({ within }: Enclosing, listing: Listing): Promise<void> {
  let alike = 0;
  for (const { listing: other } of enclosing(within)) if (other && (await isAlike(listing, other))) alike++;
  if (alike === 0) return;
  if (alike >= mostAlike || foldersIn(listing) ** alike > mostAlikeInAll) throw loop();
}

/** From the innermost to the root. */
function* enclosing(folder: Enclosing | undefined): Generator<Enclosing> {
  for (let one = folder; one !== undefined; one = one.within) yield one;
}

async function isAlike(one: Listing, other: Listing): Promise<boolean> {
  if (one.members.length !== other.members.length || foldersIn(one) !== foldersIn(other)) return false;
  return (await fingerprintOf(one)) === (await fingerprintOf(other));
}

function foldersIn({ members }: Listing): number {
  return members.reduce((count, { kind }) => (kind === 'collection' ? count + 1 : count), 0);
}

const fingerprints = new WeakMap<Listing, Promise<string>>();

/** Of what stays the same from one listing to the next. */
function fingerprintOf(listing: Listing): Promise<string> {
  const fingerprint = fingerprints.get(listing) ?? makeFingerprint(listing);
  fingerprints.set(listing, fingerprint);
  return fingerprint;
}

async function makeFingerprint({ members }: Listing): Promise<string> {
  const lines: string[] = [];
  for await (const piece of piecesOf(members))
    for (const { kind, name, size, modified } of piece) lines.push(JSON.stringify([kind, name, size, modified]));
  const hash = createHash('sha256');
  const sorted = await sortedInPieces(lines, (one, other) => (one < other ? -1 : one > other ? 1 : 0));
  for await (const piece of piecesOf(sorted)) for (const line of piece) hash.update(`${line}\n`);
  return hash.digest('hex');
}

function loop(): AppError {
  return new AppError('source/loop', 'The folder contains itself.');
}
