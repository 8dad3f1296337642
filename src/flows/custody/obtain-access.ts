import { untilAborted } from '../../abort.ts';
import { promotePending } from '../../database/consent/generations.ts';
import type { Lease, LeaseRequest } from '../../database/custody/leases.ts';
import { takeProviderTurn } from '../../database/custody/provider-turns.ts';
import type { CachedToken } from '../../domain/token-cache.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import { traced } from '../../tracing.ts';
import { exchangeToken } from './exchange-token.ts';
import type { Needs } from './needs.ts';
import { ownStatements, type Statements } from './statements.ts';
import { whyUnusable } from './why-unusable.ts';

export interface AccessRequest {
  grantId: string;
  runId?: string;
  /** The token must live at least this much longer. */
  minimumSeconds: number;
  /** A token that a server refused: never given again. */
  refused?: string | undefined;
  signal?: AbortSignal;
}

const leaseMs = minuteMs;
const pauseWhileHeldMs = 500;
/** As long as another holder can have a lease. */
export const waitForHolderMs = leaseMs + 15_000;

/**
 * An access token of the grant that is valid for at least `minimumSeconds` more. One exchange serves everybody who waits for it in this process;
 * between processes the lease keeps exchanges apart. Throws `grant/not-usable`, `grant/busy`, what `exchangeToken` throws, or the signal's reason
 * once it is aborted. Aborting ends the wait, not the exchange.
 */
export async function obtainAccess(resources: Needs, request: AccessRequest): Promise<CachedToken> {
  const { database, tokenCache } = resources;
  const { grantId, runId, minimumSeconds, refused, signal } = request;
  signal?.throwIfAborted();
  const known = tokenCache.known.get(grantId);
  if (known && known.token !== refused && livesFor(known, minimumSeconds, resources)) return known;
  const asked = { grantId, runId, purpose: 'run', waitMs: waitForHolderMs };
  return untilAborted(tokenCache.running.get(grantId) ?? start(resources, asked, ownStatements(database)), signal);
}

/**
 * Exchanges the token even if there is an access token: the exchange is what keeps it alive. Another holder of the lease keeps it alive as well, so
 * this does not wait for one unless `waitMs` says so, and throws `grant/busy`.
 */
export async function exchangeNow(
  resources: Needs,
  grantId: string,
  { statements = ownStatements(resources.database), waitMs = 0 }: { statements?: Statements; waitMs?: number } = {},
): Promise<void> {
  const asked = { grantId, purpose: 'keep-alive', waitMs };
  await (resources.tokenCache.running.get(grantId) ?? start(resources, asked, statements));
}

interface Asked extends Pick<LeaseRequest, 'grantId' | 'runId' | 'purpose'> {
  waitMs: number;
}

function start(resources: Needs, asked: Asked, statements: Statements): Promise<CachedToken> {
  const { known, running } = resources.tokenCache;
  const { grantId } = asked;
  const exchange = exchangeUnderLease(resources, asked, statements)
    .then((access) => {
      known.set(grantId, access);
      return access;
    })
    .finally(() => running.delete(grantId));
  running.set(grantId, exchange);
  return exchange;
}

async function exchangeUnderLease(resources: Needs, asked: Asked, statements: Statements): Promise<CachedToken> {
  const { clock, database } = resources;
  await awaitProviderTurn(resources);
  const claimed = await awaitLease(resources, asked, statements);
  const lease = claimed.pending ? await promotePending(database, claimed, clock.now()) : claimed;
  const attributes = { 'nightkeep.grant.id': lease.grant.id, 'nightkeep.exchange.id': lease.exchangeId };
  return traced({ name: 'exchange', kind: 'client', attributes }, (note) =>
    exchangeToken(resources, lease, statements, (verdict) => note({ 'nightkeep.exchange.verdict': verdict })),
  );
}

/** Before the lease, which would not last as long as many wait. */
async function awaitProviderTurn({ clock, config, database }: Needs): Promise<void> {
  const { issuer, rate } = config.provider;
  if (rate === undefined) return;
  const waitMs = await takeProviderTurn(database, { issuer: issuer.href, rate });
  if (waitMs > 0) await clock.sleep(waitMs);
}

/** Waits for another holder, as long as a lease can last; never continues without the lease. */
async function awaitLease(
  { database, clock, holder }: Needs,
  { waitMs, ...asked }: Asked,
  { claim }: Statements,
): Promise<Lease> {
  const begin = clock.now().getTime();
  for (;;) {
    const at = clock.now();
    const lease = await claim({ ...asked, holder, at, leaseMs });
    if (lease) return lease;
    const refusal = await whyUnusable(database, asked, at);
    if (refusal !== undefined) throw refusal;
    if (at.getTime() - begin >= waitMs) {
      throw new AppError('grant/busy', 'Another worker is using this consent. Try again soon.', {
        retry: { afterMs: pauseWhileHeldMs * 10 },
      });
    }
    await clock.sleep(pauseWhileHeldMs);
  }
}

function livesFor({ endsAt }: CachedToken, seconds: number, { clock }: Needs): boolean {
  return endsAt.getTime() - clock.now().getTime() >= seconds * 1000;
}
