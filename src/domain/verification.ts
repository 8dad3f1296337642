import { dayMs } from '../durations.ts';

/** Places that packs can have: the first 28 bits of their ids, which are hashes, so that any part of them holds as much as another. */
export const places = 2 ** 28;

/** A part of the packs: `length` places from `from` on; after the last place comes the first. */
export interface PackShare {
  readonly from: number;
  readonly length: number;
}

/** What was read of a repository's packs so far. */
export interface ReadSoFar {
  /** The place at which the next part begins. */
  readonly cursor: number;
  /** When a part was last read to its end; null: none was. */
  readonly readAt: Date | null;
}

/**
 * The part of the packs that is due, so that `days` verifications read every pack that is there all the while, whatever comes and
 * goes between them, and so do any number of them within that many days: who comes late reads more.
 */
export function shareDue({ cursor, readAt }: ReadSoFar, days: number, now: Date): PackShare {
  const since = readAt === null ? 1 : Math.max(1, (now.getTime() - readAt.getTime()) / dayMs);
  return { from: cursor, length: Math.min(places, Math.ceil((places / days) * since)) };
}

/** The packs of the part, in the order in which they are read. */
export function packsIn<Id extends string>(ids: readonly Id[], { from, length }: PackShare): Id[] {
  const ahead = (id: Id) => (placeOf(id) - from + places) % places;
  return ids.filter((id) => ahead(id) < length).sort((a, b) => ahead(a) - ahead(b));
}

/** The place after this pack: everything of the part before it was read. */
export function cursorAfter(packId: string): number {
  return (placeOf(packId) + 1) % places;
}

/** The place after the part. */
export function endOf({ from, length }: PackShare): number {
  return (from + length) % places;
}

function placeOf(packId: string): number {
  return Number.parseInt(packId.slice(0, 7), 16);
}
