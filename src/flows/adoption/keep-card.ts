import {
  type CardRow,
  cardChanged,
  findCardRow,
  listCardsDue,
  type PlaceAmongDue,
  saveCardSeen,
  saveCardsOfOtherKeysDue,
  saveCardWritten,
} from '../../database/repositories/cards.ts';
import { beforeAll } from '../../database/state/sealed-values.ts';
import { type RepositoryCard, readCard, readFormerPlan, type WrittenCard } from '../../domain/repository-card.ts';
import { dayMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { loadCards, removeCards, saveCard } from '../../store/repository/cards.ts';
import { repositoryExists } from '../../store/repository/exists.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { erasureSealing, openPassword } from '../../vault/row-seals.ts';
import { fingerprint, seal, unseal } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

const batch = 500;
const width = 8;
/** For how long a card is assumed to be where it was seen last. */
const trustedMs = 7 * dayMs;
/** A night looks at the card anyway, and records that this long before the card would be due to be looked at. */
const nightMs = dayMs;
const first = { cardDueAt: new Date(-1), id: beforeAll.id };

/**
 * Writes the cards that no longer say what the database does, are sealed under an older key, or are missing; a missing one is looked for if nobody,
 * such as a night, has looked at it for a week. Others are not read, neither in the database nor in the store. A card that cannot be written does
 * not stop the others, and stays due. Answers how many were written.
 */
export async function writeCards(
  resources: Needs,
  {
    signal,
    random = Math.random,
    onFailed,
  }: { signal?: AbortSignal; random?: () => number; onFailed?: () => void } = {},
): Promise<number> {
  const { clock, database, keyring, log } = resources;
  const at = clock.now();
  let written = 0;
  const work = async (row: CardRow) => {
    if (signal?.aborted) return;
    try {
      // Nobody has touched the card for all that is known: looking for it can wait, for each another time.
      if (row.cardDueAt.getTime() === cardChanged.getTime() && isWritten(resources, row))
        await saveCardSeen(database, { row, dueAt: new Date(at.getTime() + random() * trustedMs) });
      else if (await bringAbout(resources, row)) written += 1;
    } catch (error) {
      log.warn('card.failed', { userId: row.userId, error });
      onFailed?.();
    }
  };
  await saveCardsOfOtherKeysDue(database, keyring.newest);
  for (let after: PlaceAmongDue = first; ; ) {
    const rows = await listCardsDue(database, { at, after, limit: batch });
    await Array.fromAsync(inParallel(rows, width, work));
    const last = rows.at(-1);
    if (last === undefined || signal?.aborted) return written;
    after = last;
  }
}

/**
 * Looks at the card beside a repository, and writes it if it is missing or not the one that was written last. A night continues without it:
 * failures are logged. `known` is what was read of it a while ago.
 */
export async function keepCard(resources: Needs, repositoryId: string, known: CardRow | null = null): Promise<void> {
  try {
    if (known !== null && !isDueSoon(resources, known) && (await find(resources, known)) === 'right') return;
    // Nothing is written by what may not be true any more.
    const row = await findCardRow(resources.database, repositoryId);
    if (row !== null) await bringAbout(resources, row);
  } catch (error) {
    resources.log.warn('card.failed', { error });
  }
}

/** Looks at the card, and writes it where it is not the right one. Whether it was written. */
async function bringAbout(resources: Needs, row: CardRow): Promise<boolean> {
  const { clock, database, log } = resources;
  const found = await find(resources, row);
  if (found !== 'right') {
    if (found !== 'outdated') log.warn('card.replaced', { found });
    return write(resources, row);
  }
  const dueAt = new Date(clock.now().getTime() + trustedMs);
  if (isDueSoon(resources, row)) await saveCardSeen(database, { row, dueAt });
  return false;
}

function isDueSoon({ clock }: Needs, { cardDueAt }: CardRow): boolean {
  return cardDueAt.getTime() < clock.now().getTime() + nightMs;
}

async function find(resources: Needs, row: CardRow): Promise<Found | 'outdated'> {
  const { keyring, store } = resources;
  return isWritten(resources, row) ? look(keyring, store(row.location, row.store), row) : 'outdated';
}

/** Opens a card at its place. Throws as `unseal` does, and `request/invalid` for one of a later version. */
export function openCard(keyring: Keyring, location: string, bytes: Uint8Array): WrittenCard {
  const card = readCard(Buffer.from(unseal(keyring, purposes.repositoryCard(location), bytes)).toString());
  if (card !== undefined) return card;
  throw new AppError('request/invalid', 'The card was written by a later version of Nightkeep. Use that version.');
}

type Found = 'right' | 'missing' | 'older' | 'unreadable';

async function look(keyring: Keyring, backend: Backend, row: CardRow): Promise<Found> {
  const wanted = textOf(cardOf(keyring, row));
  const found = (await loadCards(backend)).map((bytes) => {
    try {
      const { writtenAt: _, ...card } = openCard(keyring, row.location, bytes);
      return textOf(card) === wanted ? 'right' : 'older';
    } catch (error) {
      if (!isAppError(error)) throw error;
      return 'unreadable';
    }
  });
  return (['right', 'older', 'unreadable'] as const).find((one) => found.includes(one)) ?? 'missing';
}

function isWritten({ keyring }: Needs, row: CardRow): boolean {
  const { cardDigest, cardKeyId } = row;
  if (cardDigest === null || cardKeyId !== keyring.newest) return false;
  return Buffer.from(cardDigest).equals(fingerprint(keyring, textOf(cardOf(keyring, row))));
}

/** False where there is no repository yet: a store that is not mounted gets no card. */
async function write({ clock, database, keyring, store }: Needs, row: CardRow): Promise<boolean> {
  const { id, location } = row;
  const backend = store(location, row.store);
  if (!(await repositoryExists(backend))) return false;
  const card = cardOf(keyring, row);
  const written: WrittenCard = { ...card, writtenAt: clock.now().toISOString() };
  const { sealed, keyId } = seal(keyring, purposes.repositoryCard(location), JSON.stringify(written));
  await saveCard(backend, sealed);
  // Erasing may have begun meanwhile, and leaves nothing.
  if ((await findCardRow(database, id)) === null) await removeCards(backend);
  const dueAt = new Date(clock.now().getTime() + trustedMs);
  await saveCardWritten(database, { row, dueAt, cardKeyId: keyId, cardDigest: fingerprint(keyring, textOf(card)) });
  return true;
}

function cardOf(keyring: Keyring, row: CardRow): RepositoryCard {
  const { id: repositoryId, recoveryKeyFile, recoveryKeptAt, eraseAt, createdAt, user } = row;
  // What somebody else wrote into the row must not come back from the card, sealed.
  erasureSealing(keyring).require({ ...row, seal: row.eraseSeal });
  const [plan] = user.plans;
  const [alarm] = plan?.runs ?? [];
  return {
    version: 1,
    repositoryId,
    createdAt: createdAt.toISOString(),
    owner: { userId: user.id, issuer: user.issuer, subject: user.subject, username: user.username },
    password: openPassword(keyring, row),
    recovery: { keyFile: recoveryKeyFile, keptAt: recoveryKeptAt?.toISOString() ?? null },
    plan: readFormerPlan(
      plan === undefined
        ? row.formerPlan
        : {
            ...plan,
            retentionAgreedAt: plan.retentionAgreedAt?.toISOString() ?? null,
            ...(alarm && { alarm: alarmOf(alarm) }),
          },
    ),
    eraseAt: eraseAt?.toISOString() ?? null,
  };
}

function alarmOf({
  alarm: kind,
  night,
  finishedAt,
  state,
  snapshotId,
  heldSnapshotId,
}: CardRow['user']['plans'][number]['runs'][number]) {
  return { kind, night, endedAt: finishedAt?.toISOString(), state, snapshotId, heldSnapshotId };
}

/** PostgreSQL gives the members of a rule in an order of its own, the same each time. */
function textOf(card: RepositoryCard): string {
  return JSON.stringify(card);
}
