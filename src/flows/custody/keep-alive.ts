import { type DueGrant, listGrantsToExchange, type WantedGrants } from '../../database/consent/grants.ts';
import { listProbes } from '../../database/custody/circuits.ts';
import { hourMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Needs } from './needs.ts';
import { exchangeNow } from './obtain-access.ts';
import { type Statements, sharedStatements } from './statements.ts';

export interface Sweep {
  exchanged: number;
  failed: number;
}

/** How many due grants are listed at once, and how many are looked at again at a time before their turn: others may have exchanged them meanwhile. */
const [most, batch] = [10_000, 200];
/** A token that ends sooner is exchanged even while a run is at work. */
const leastLeftMs = hourMs;
/** After so many grants in a row that got no answer a sweep ends: one may be alone with it. */
const mostTroubles = 2;
/** How many grants are exchanged at a time: enough for their claims and saves to share statements, and few for a provider. */
export const atOnce = 32;

/**
 * Exchanges the tokens that are due, those that end soonest first, and asks again for refused ones, until nothing is due; if a circuit is open, its
 * probe comes first. A failure keeps no other token from its exchange, but a provider that does not answer for two of them, or whose circuit is open,
 * ends the sweep: what is due stays due.
 */
export async function keepAlive(resources: Needs, { signal }: { signal?: AbortSignal } = {}): Promise<Sweep> {
  const { database, clock, issuer } = resources;
  const statements = sharedStatements(database);
  const sweep = { exchanged: 0, failed: 0, troubles: 0 };
  const isOver = () => signal?.aborted === true || sweep.troubles >= mostTroubles;
  const exchange = (grantId: string) => exchangeOne(resources, grantId, statements, sweep);
  for (const { id } of await listProbes(database, clock.now())) await exchange(id);
  // Where an exchange ends the access tokens before it, a run at work would lose its own.
  const { endsAccessTokens } = await issuer.profile();
  for await (const due of batchesDue({ clock, database }, { endsAccessTokens })) {
    const waiting = due.values();
    const workUntil = async (isOver: () => boolean) => {
      while (!isOver()) {
        const { value } = waiting.next();
        if (value === undefined) return;
        await exchange(value.id);
      }
    };
    // After trouble they are exchanged one by one until one goes well.
    await workUntil(() => isOver() || sweep.troubles === 0);
    await Promise.all(Array.from({ length: atOnce }, () => workUntil(isOver)));
    if (isOver()) break;
  }
  const { exchanged, failed } = sweep;
  return { exchanged, failed };
}

/**
 * What is due, a batch at a time, as it is once the one before was worked on. The first batch is of one: a provider that refuses Nightkeep and uses
 * tokens up all the same costs one consent, and no more.
 */
export async function* batchesDue(
  { clock, database }: Pick<Needs, 'clock' | 'database'>,
  { endsAccessTokens = false }: { endsAccessTokens?: boolean | undefined },
): AsyncGenerator<readonly DueGrant[]> {
  const list = (wanted: Pick<WantedGrants, 'after' | 'among' | 'limit'>) => {
    const at = clock.now();
    const sparingRunsUntil = endsAccessTokens ? new Date(at.getTime() + leastLeftMs) : undefined;
    return listGrantsToExchange(database, { at, sparingRunsUntil, ...wanted });
  };
  let after: DueGrant | undefined;
  for (let limit = 1; ; limit = most) {
    const due = await list({ limit, after });
    for (let from = 0; from < due.length; from += batch) {
      const among = due.slice(from, from + batch);
      yield from === 0 ? among : await list({ limit: batch, among });
    }
    after = due.at(-1);
    if (due.length < limit) return;
  }
}

async function exchangeOne(
  resources: Needs,
  grantId: string,
  statements: Statements,
  sweep: Sweep & { troubles: number },
): Promise<void> {
  try {
    await exchangeNow(resources, grantId, { statements });
    sweep.exchanged += 1;
    sweep.troubles = 0;
  } catch (error) {
    resources.log.warn('keep-alive.failed', { grantId, error });
    sweep.failed += 1;
    if (isAppError(error, 'provider/unavailable')) sweep.troubles += 1;
    else if (isAppError(error, 'provider/circuit-open')) sweep.troubles = mostTroubles;
  }
}
