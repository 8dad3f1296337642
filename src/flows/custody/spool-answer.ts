import type { Lease } from '../../database/custody/leases.ts';
import { saveOnceFree } from '../../database/custody/rotations.ts';
import type { OfflineToken } from '../../domain/tokens.ts';
import type { ExchangeAnswer } from '../../domain/verdict.ts';
import { cannotBeEnded } from '../../oidc/token-ending.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';
import { saveSealed } from './offline-token.ts';

type SpoolNeeds = Pick<Resources, 'keyring' | 'log' | 'spool'>;
type ReplayNeeds = SpoolNeeds & Pick<Resources, 'clock' | 'database' | 'issuer'>;

/** A new token that came back, and whether the disk has it. */
export interface Kept {
  token: OfflineToken;
  spooled: boolean;
}

/**
 * Writes the token of an answer to disk before anything else is done with it; nothing if the provider sent none, or the same one. If the disk does
 * not take it, only this process has it.
 */
export async function keepAside(
  resources: SpoolNeeds,
  lease: Lease,
  { answer, sent }: { answer: ExchangeAnswer; sent: string },
): Promise<Kept | undefined> {
  if (answer.kind !== 'answered') return undefined;
  const { refreshToken, issuedAt, endsAt, sid } = answer.tokens;
  if (refreshToken === undefined || refreshToken === sent) return undefined;
  const token = { refreshToken, issuedAt, endsAt, sid };
  return { token, spooled: await spoolToken(resources, lease, token) };
}

async function spoolToken(
  { spool, keyring, log }: SpoolNeeds,
  { exchangeId, fence, grant, token: sent }: Lease,
  token: OfflineToken,
): Promise<boolean> {
  const about = { grantId: grant.id, userId: grant.userId, fence, sent: sent.number };
  const text = JSON.stringify({ ...about, ...token });
  try {
    await spool.keep(exchangeId, seal(keyring, purposes.spooledAnswer(exchangeId), text).sealed);
    return true;
  } catch (error) {
    log.error('spool.keep-failed', { grantId: grant.id, exchangeId, folder: spool.folder, error });
    return false;
  }
}

/** The database has the token. What cannot be dropped is found again by `heal`, and known there. */
export async function dropSpooled({ spool, log }: SpoolNeeds, { exchangeId }: Lease): Promise<void> {
  await spool
    .drop(exchangeId)
    .catch((error: unknown) => log.warn('spool.drop-failed', { exchangeId, folder: spool.folder, error }));
}

/** Whether the token outlives a loss of power too. */
export async function isFlushed({ spool, log }: SpoolNeeds, { exchangeId }: Lease): Promise<boolean> {
  try {
    await spool.flush(exchangeId);
    return true;
  } catch (error) {
    log.error('spool.flush-failed', { exchangeId, folder: spool.folder, error });
    return false;
  }
}

/**
 * Saves every token that a crash or an outage left on this machine's disk to the database, as pending; it becomes current at the next claim.
 * Answers how many. One that cannot be opened stays for the operator.
 */
export async function replaySpool(resources: ReplayNeeds): Promise<number> {
  const { clock, spool, log } = resources;
  let replayed = 0;
  for (const { name: exchangeId, sealed } of await spool.list()) {
    try {
      await replay(resources, exchangeId, sealed);
      replayed += 1;
    } catch (error) {
      log.error('spool.replay-failed', { exchangeId, folder: spool.folder, error });
    }
  }
  await spool
    .tidy(clock.now())
    .catch((error: unknown) => log.warn('spool.drop-failed', { folder: spool.folder, error }));
  return replayed;
}

async function replay(resources: ReplayNeeds, exchangeId: string, sealed: Uint8Array): Promise<void> {
  const { clock, database, issuer, keyring, log, spool } = resources;
  const { grantId, userId, fence, sent, token } = openSpooled(keyring, exchangeId, sealed);
  const exchanged = { exchangeId, grantId, sent, fence, at: clock.now(), verdict: 'ok' };
  const place = { grant: { id: grantId, userId }, nextNumber: sent + 1 };
  const { outcome } = await saveSealed(keyring, place, token, (token) =>
    saveOnceFree(database, { ...exchanged, token }),
  );
  log.warn('spool.replayed', { grantId, exchangeId, outcome });
  if (outcome === 'withdrawn') await endIfPossible(issuer, token.refreshToken);
  await spool.drop(exchangeId);
}

/** Ends a token at the provider whose consent was withdrawn, where that offers a way to do so. Throws what else `revoke` throws. */
export async function endIfPossible({ revoke }: Resources['issuer'], token: string): Promise<void> {
  await revoke(token).catch((error: unknown) => {
    if (!cannotBeEnded(error)) throw error;
  });
}

/** What `spoolToken` wrote; JSON has made texts of the dates. */
interface Spooled {
  grantId: string;
  userId: string;
  fence: number;
  /** The generation that was sent. */
  sent: number;
  refreshToken: string;
  issuedAt?: string;
  endsAt?: string;
  sid?: string;
}

function openSpooled(keyring: Keyring, exchangeId: string, sealed: Uint8Array) {
  const text = Buffer.from(unseal(keyring, purposes.spooledAnswer(exchangeId), sealed)).toString();
  const { refreshToken, issuedAt, endsAt, sid, ...about }: Spooled = JSON.parse(text);
  const date = (moment: string | undefined) => (moment === undefined ? undefined : new Date(moment));
  const token: OfflineToken = { refreshToken, issuedAt: date(issuedAt), endsAt: date(endsAt), sid };
  return { ...about, token };
}
