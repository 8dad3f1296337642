import { openPersonHistory } from '../../../src/flows/snapshots/open-history.ts';
import type { Resources } from '../../../src/resources.ts';
import { parseId, type SnapshotId } from '../../../src/store/format/ids.ts';
import { contentOf } from '../fixtures/archive-night.ts';

/** What a snapshot of a person holds, as text by its path. */
export async function filesOfSnapshot(
  resources: Resources,
  { userId, id }: { userId: string; id: string },
): Promise<Record<string, string>> {
  const { repository } = await openPersonHistory(resources, userId);
  const { tree } = await repository.loadSnapshot(parseId<SnapshotId>(id));
  const files = [...(await contentOf(repository, tree))].filter(([path]) => !path.endsWith('/'));
  return Object.fromEntries(files.map(([path, bytes]) => [path, bytes.toString()]));
}
