import { saveAudit } from '../database/audit.ts';
import type { Act } from '../domain/audit.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { ownOf } from '../flows/nights/own-snapshots.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import type { Repository } from '../store/repository/repository.ts';
import type { SavedSnapshot } from '../store/repository/snapshots.ts';
import { commandActor } from './actor.ts';
import { warn } from './command.ts';
import { getUserByName } from './people.ts';

/** The repository of one person. Commands that show what their files hold, or are called, say so in the audit. */
export interface PersonsRepository {
  readonly repository: Repository;
  /** The snapshot of that id, or its beginning; `latest`, which stands for none too, is the latest of Nightkeep's own. Throws as `findSnapshot`. */
  snapshot(id: string | undefined): Promise<SavedSnapshot>;
  /** Loads the index, and says which of its files cannot be read. */
  loadIndex(): Promise<void>;
  /** Puts on record what the command does. */
  record(act: Act, about: string): Promise<void>;
}

/** Opens it. */
export async function openNamedPerson(resources: RepositoryResources, name: string): Promise<PersonsRepository> {
  const { clock, database } = resources;
  const { id: userId } = await getUserByName(resources, name, 'acting');
  const { repository } = await openPersonRepository(resources, userId);
  return {
    repository,
    snapshot: async (id = 'latest') => {
      if (id !== 'latest') return repository.findSnapshot(id);
      let damaged = false;
      const saved = await Array.fromAsync(repository.listSnapshots(() => (damaged = true)));
      const own = ownOf(saved, clock.now()).at(-1);
      return damaged || own === undefined ? repository.findSnapshot('latest') : own;
    },
    loadIndex: async () => {
      await repository.loadIndex(({ message }) =>
        warn(`${message} What only it names is missing: run nightkeep repair.`),
      );
    },
    record: (act, about) => saveAudit(database, { at: clock.now(), by: commandActor(), act, userId, about }),
  };
}
