import { AppError } from '../errors.ts';
import { openPersonHistory } from '../flows/snapshots/open-history.ts';
import type { History } from '../store/history/history.ts';
import type { SavedSnapshot } from '../store/repository/snapshots.ts';
import { notFound, type PersonVisit } from './visit.ts';

/** The history of the person, and the snapshot of it that the address names. Throws `request/not-found`, `repository/not-found`. */
export async function openSnapshot({
  c,
  resources,
  session: { userId },
}: PersonVisit): Promise<{ history: History; saved: SavedSnapshot }> {
  const id = c.req.param('id') ?? '';
  if (!/^[0-9a-f]{8,64}$/.test(id)) throw notFound();
  const history = await openPersonHistory(resources, userId);
  const [saved, other] = history.snapshots.filter((one) => one.id.startsWith(id));
  if (saved === undefined || other !== undefined) throw notFound();
  return { history, saved };
}

/** What follows `/snapshots/:id/<kind>` in the address, decoded name by name. Throws `request/invalid`. */
export function restOfPath(url: URL, kind: string): string {
  const [, rest = ''] = url.pathname.split(new RegExp(`^/snapshots/[^/]+/${kind}`));
  try {
    return rest.split('/').filter(Boolean).map(decodeURIComponent).join('/');
  } catch (cause) {
    throw new AppError('request/invalid', 'The address is not spelled right.', { cause });
  }
}

/** A path inside a snapshot as part of an address. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
