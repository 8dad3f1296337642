import type { Lease } from '../../database/leases.ts';
import { keepPending, type ReceivedToken } from '../../database/rotations.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';
import { readyToKeep, type TokenInHand } from './offline-token.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'issuer' | 'keyring' | 'log' | 'spool'>;

/** An answer on this machine's disk: all that a save needs, should this process not live to make it. */
interface Spooled {
  grantId: string;
  userId: string;
  fence: number;
  /** The generation that was sent. */
  sent: number;
  refreshToken: string;
  /** ISO 8601. */
  issuedAt?: string | undefined;
  endsAt?: string | undefined;
  sid?: string | undefined;
}

/**
 * Keeps a token on disk before anything else is done with it; false where the disk does not take it, and then only
 * this process knows it.
 */
export async function spoolAnswer(
  { spool, keyring, log }: Needs,
  { exchangeId, fence, grant, token }: Lease,
  { refreshToken, issuedAt, endsAt, sid }: TokenInHand,
): Promise<boolean> {
  const spooled: Spooled = {
    grantId: grant.id,
    userId: grant.userId,
    fence,
    sent: token.number,
    refreshToken,
    issuedAt: issuedAt?.toISOString(),
    endsAt: endsAt?.toISOString(),
    sid,
  };
  try {
    await spool.keep(exchangeId, seal(keyring, purposes.spooledAnswer(exchangeId), JSON.stringify(spooled)).sealed);
    return true;
  } catch (error) {
    log.error('spool.keep-failed', { grantId: grant.id, exchangeId, folder: spool.folder, error });
    return false;
  }
}

/**
 * Gives every token that is still on this machine's disk to the database: what a crash or an outage left there is
 * kept as pending, and is current at the next claim. Answers how many. One that does not open stays for the operator.
 */
export async function replaySpool(resources: Needs): Promise<number> {
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

async function replay(resources: Needs, exchangeId: string, sealed: Uint8Array): Promise<void> {
  const { clock, database, issuer, keyring, log, spool } = resources;
  const { spooled, received } = openSpooled(keyring, exchangeId, sealed);
  const { grantId, fence, sent } = spooled;
  const kept = await keepPending(database, { exchangeId, grantId, fence, sent, received, at: clock.now() });
  log.warn('spool.replayed', { grantId, exchangeId, kept });
  if (kept !== 'kept') await issuer.revoke(spooled.refreshToken);
  await spool.drop(exchangeId);
}

function openSpooled(
  keyring: Keyring,
  exchangeId: string,
  sealed: Uint8Array,
): { spooled: Spooled; received: ReceivedToken } {
  const spooled: Spooled = JSON.parse(
    Buffer.from(unseal(keyring, purposes.spooledAnswer(exchangeId), sealed)).toString(),
  );
  const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  const { refreshToken, issuedAt, endsAt, sid } = spooled;
  const token = { refreshToken, issuedAt: date(issuedAt), endsAt: date(endsAt), sid };
  return { spooled, received: readyToKeep(keyring, spooled, token) };
}
