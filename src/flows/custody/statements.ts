import type { Database } from '../../database/client.ts';
import { claimLeases, type Lease, type LeaseRequest } from '../../database/custody/leases.ts';
import {
  type Exchanged,
  isNumberTaken,
  type Saved,
  saveExchanged,
  saveOnceFree,
} from '../../database/custody/rotations.ts';
import { grouped } from '../../database/grouped.ts';

/** How claims and saves of exchanges reach the database. */
export interface Statements {
  claim: (request: LeaseRequest) => Promise<Lease | undefined>;
  save: (exchanged: Exchanged) => Promise<Saved>;
}

/** One statement for each call, to exchange a single token. */
export function ownStatements(database: Database): Statements {
  return {
    claim: async (request) => (await claimLeases(database, [request]))[0],
    save: waiting(database, async (exchanged) => (await saveExchanged(database, [exchanged]))[0]),
  };
}

/** Calls of one moment share statements, and with them the commit, to exchange many tokens at once. */
export function sharedStatements(database: Database): Statements {
  return {
    claim: grouped((requests: readonly LeaseRequest[]) => claimLeases(database, requests)),
    save: waiting(
      database,
      grouped((exchanges: readonly Exchanged[]) => saveExchanged(database, exchanges)),
    ),
  };
}

/** Waits, outside of the group, for a grant that another transaction has locked, so that no other save waits with it. */
function waiting(
  database: Database,
  saveAtOnce: (exchanged: Exchanged) => Promise<Saved | undefined>,
): Statements['save'] {
  return async (exchanged) => {
    const saved = await saveAtOnce(exchanged).catch((error: unknown) => {
      if (isNumberTaken(error)) return undefined;
      throw error;
    });
    return saved ?? saveOnceFree(database, exchanged);
  };
}
