import { AppError } from '../errors.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import type { Snapshot } from '../store/format/snapshot.ts';
import type { Repository } from '../store/repository/repository.ts';
import { notFound, type PersonVisit } from './visit.ts';

/** A snapshot of the person, and the repository to read it from, with its index loaded. */
export interface OpenSnapshot {
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly repository: Repository;
}

/** Opens the snapshot that the address names. Throws `request/not-found`, `repository/not-found` or `repository/no-such-snapshot`. */
export async function openSnapshot({ c, resources, session: { userId } }: PersonVisit): Promise<OpenSnapshot> {
  const id = c.req.param('id') ?? '';
  if (!/^[0-9a-f]{8,64}$/.test(id)) throw notFound();
  const { repository } = await openPersonRepository(resources, userId);
  const { snapshot } = await repository.findSnapshot(id);
  await repository.loadIndex((error) => resources.log.warn('repository.damaged', { userId, error }));
  return { id, snapshot, repository };
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
