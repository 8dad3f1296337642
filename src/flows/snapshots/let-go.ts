import { listSignedIn } from '../../database/people/web-sessions.ts';
import type { Resources } from '../../resources.ts';

type Held = Pick<Resources, 'histories' | 'repositoryKeys'>;
type Needs = Held & Pick<Resources, 'clock' | 'database'> & { readonly config: Pick<Resources['config'], 'session'> };

/** Lets go of what this process holds open of a person's repository, its key included. */
export function letGoOf({ histories, repositoryKeys }: Held, userId: string): void {
  histories.drop(userId);
  repositoryKeys.drop(userId);
}

/** The same for everybody who is not signed in any more, however their last session ended and in whichever process. */
export async function letGoOfSignedOut(resources: Needs): Promise<void> {
  const { clock, config, database, histories, repositoryKeys } = resources;
  const held = [...new Set([...histories.owners(), ...repositoryKeys.owners()])];
  if (held.length === 0) return;
  const { idleMs } = config.session;
  const signedIn = new Set(await listSignedIn(database, { userIds: held, at: clock.now(), idleMs }));
  for (const userId of held) if (!signedIn.has(userId)) letGoOf(resources, userId);
}
