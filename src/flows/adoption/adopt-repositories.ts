import {
  type Adopted,
  type AdoptedRow,
  getOwnerId,
  hasRepository,
  saveAdopted,
} from '../../database/repositories/adoptions.ts';
import { eraseAtOfCard, type RepositoryCard } from '../../domain/repository-card.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import { openRepository } from '../../store/repository/repository.ts';
import { erasureSealing, personSealing, sealPassword } from '../../vault/row-seals.ts';
import { resetMark } from '../keys/marks.ts';
import { ownOf } from '../nights/own-snapshots.ts';
import { type FoundRepository, findRepositories } from './find-repositories.ts';
import { followMove } from './follow-move.ts';

export type AdoptionNeeds = Pick<
  Resources,
  'clock' | 'config' | 'database' | 'keyring' | 'log' | 'places' | 'scrypt' | 'store'
>;

/** What became of a repository that lies in the store. */
export interface Adoption {
  readonly location: string;
  /** known: the database had it already. adoptable: it would be adopted. refused: it cannot be, see `problem`. */
  readonly state: 'adopted' | 'adoptable' | 'known' | 'refused';
  readonly owner?: RepositoryCard['owner'];
  readonly snapshots?: number;
  /** The time of Nightkeep's newest snapshot, as it says it. */
  readonly newest?: string;
  /** Why not, or what has to be done besides, with the cure. */
  readonly problem?: string;
}

/**
 * Finds the repositories of a store (null: that of the settings) and gives each to the person named on its card: as soon as somebody with that
 * issuer and subject signs in, it is theirs, and after they have consented again the next night continues from its newest snapshot. Each is opened
 * first. Those that cannot be adopted do not stop the others. One that the rows place in another store, as before a move that was made after
 * an export, is followed to where its newest card is. Throws the signal's reason before the next repository once it is aborted.
 */
export async function* adoptRepositories(
  resources: AdoptionNeeds,
  { at, dryRun, by, signal }: { at: string | null; dryRun: boolean; by: string; signal?: AbortSignal },
): AsyncGenerator<Adoption> {
  for (const found of await findRepositories(resources, at)) {
    signal?.throwIfAborted();
    const { location, card, isKnown, problem } = found;
    if (isKnown) yield await followMove(resources, location, { at, dryRun, by });
    else if (card === undefined) yield { location, state: 'refused', ...(problem && { problem }) };
    else yield await adoptOne(resources, found, card, { at, dryRun, by });
  }
}

async function adoptOne(
  resources: AdoptionNeeds,
  { location }: FoundRepository,
  card: RepositoryCard,
  { at, dryRun, by }: { at: string | null; dryRun: boolean; by: string },
): Promise<Adoption> {
  const { clock, database, keyring, store, log } = resources;
  const { owner } = card;
  try {
    const { keyFile } = card.recovery;
    const otherKey = keyFile === null ? undefined : parseId<KeyId>(keyFile);
    const repository = await openRepository(store(location, at), card.password, { otherKey });
    const snapshots = await Array.fromAsync(repository.listSnapshots(() => undefined));
    const newest = ownOf(snapshots, clock.now()).at(-1)?.snapshot.time;
    const about = { location, owner, snapshots: snapshots.length, ...(newest && { newest }) };
    if (dryRun) {
      if (await hasRepository(database, owner)) return { ...about, state: 'refused', problem: another };
      return { ...about, state: 'adoptable', ...besides(resources, owner) };
    }
    const row = rowOf(card, { location, store: at, now: clock.now() });
    const seals = adoptionSeals(keyring, card.password);
    if (!(await saveAdopted(database, { row, owner, seals, at: clock.now(), by })))
      return { ...about, state: 'refused', problem: another };
    await resetMark(resources, await getOwnerId(database, owner));
    log.info('repository.adopted', { location, userId: owner.userId });
    return { ...about, state: 'adopted', ...besides(resources, owner) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const problem =
      error.code === 'repository/wrong-password'
        ? 'The password in its card does not open it: its folder holds files of another repository. Put its own files back.'
        : error.message;
    return { location, owner, state: 'refused', problem };
  }
}

const another =
  'This person already has another repository here, and keeps it. Keep only one of the two folders in the store, or have them erase the newer one first.';

/** Nobody signs in here under another issuer than that of the settings. */
function besides({ config }: AdoptionNeeds, { issuer }: RepositoryCard['owner']): Pick<Adoption, 'problem'> {
  if (URL.parse(issuer)?.href === config.provider.issuer.href) return {};
  return {
    problem: `They belong to the issuer ${issuer}, but OIDC_ISSUER is ${config.provider.issuer.href}. If that provider has moved: nightkeep provider move.`,
  };
}

/** Seals what is taken over for its person here. */
export function adoptionSeals(keyring: Resources['keyring'], password: string): Adopted['seals'] {
  return {
    person: personSealing(keyring),
    erasure: erasureSealing(keyring),
    password: (place) => sealPassword(keyring, place, password),
  };
}

function rowOf(
  card: RepositoryCard,
  { location, store, now }: { location: string; store: string | null; now: Date },
): AdoptedRow {
  const { repositoryId: id, recovery, plan, createdAt } = card;
  return {
    id,
    location,
    store,
    recoveryKeyFile: recovery.keyFile,
    recoveryKeptAt: recovery.keptAt === null ? null : new Date(recovery.keptAt),
    eraseAt: eraseAtOfCard(card, now),
    createdAt: new Date(createdAt),
    formerPlan: plan,
  };
}
