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
/** How many grants are exchanged at a time: enough for their claims and saves to share statements, and few for a provider. */
export const atOnce = 32;

/**
 * Exchanges the tokens that are due, those that end soonest first, and asks again for refused ones, until nothing is due; if a circuit is open, its
 * probe comes first. A failure keeps no other token from its exchange, but a provider that does not answer, or whose circuit is open, ends the
 * sweep: what is due stays due.
 */
export async function keepAlive(resources: Needs, { signal }: { signal?: AbortSignal } = {}): Promise<Sweep> {
  const { database, clock, issuer } = resources;
  const statements = sharedStatements(database);
  const sweep = { exchanged: 0, failed: 0, troubled: false };
  const exchange = (grantId: string) => exchangeOne(resources, grantId, statements, sweep);
  for (const { id } of await listProbes(database, clock.now())) await exchange(id);
  // Where an exchange ends the access tokens before it, a run at work would lose its own.
  const { endsAccessTokens } = await issuer.profile();
  for await (const due of batchesDue({ clock, database }, { endsAccessTokens })) {
    const waiting = due.values();
    const work = async () => {
      for (const { id } of waiting) {
        if (signal?.aborted || sweep.troubled) return;
        await exchange(id);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (signal?.aborted || sweep.troubled) break;
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
  sweep: Sweep & { troubled: boolean },
): Promise<void> {
  try {
    await exchangeNow(resources, grantId, { statements });
    sweep.exchanged += 1;
  } catch (error) {
    resources.log.warn('keep-alive.failed', { grantId, error });
    sweep.failed += 1;
    sweep.troubled ||= isAppError(error, 'provider/unavailable') || isAppError(error, 'provider/circuit-open');
  }
}
