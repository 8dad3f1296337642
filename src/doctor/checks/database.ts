import { bytesWords, countWords } from '../../count-words.ts';
import { type Fault, faultWords, kindOfFault } from '../../database/fault.ts';
import { inspectServer, type ServerFacts } from '../../database/server/inspect-server.ts';
import { isAppError } from '../../errors.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';

const name = 'database';
const leastMajor = 13;
const slowMs = 1_000;
/** A process of Nightkeep opens up to ten connections for itself and four for the queue. */
const connectionsOfAProcess = 14;

export const database: Check = {
  name,
  run: async ({ clock, database: open, option }) => {
    const embedded = option('databaseUrl') === undefined;
    try {
      const opened = await open();
      const began = clock.elapsed();
      const facts = await inspectServer(opened);
      return checkServer(facts, Math.round(clock.elapsed() - began));
    } catch (error) {
      if (!isAppError(error, 'database/unavailable')) throw error;
      if (embedded && error.cause === undefined)
        return unknown(name, 'There is no embedded PostgreSQL yet: the first start creates it in DATA_DIR.');
      return checkFault(kindOfFault(error.cause), { embedded });
    }
  },
};

/** What a server that answers is like: `ms` is how long it took for a small question. */
export function checkServer(
  { major, version, readOnly, connections, mostConnections, bytes }: ServerFacts,
  ms: number,
): Finding {
  if (major < leastMajor)
    return wrong(name, `PostgreSQL ${version} is too old.`, `Use PostgreSQL ${leastMajor} or newer.`);
  if (readOnly)
    return wrong(
      name,
      'PostgreSQL accepts no writes: it is a standby, or set to read-only.',
      'Let DATABASE_URL name the primary.',
    );
  if (mostConnections - connections < connectionsOfAProcess)
    return warn(
      name,
      `${connections} of ${countWords(mostConnections, 'connection')} are taken; a process of Nightkeep opens up to ${connectionsOfAProcess}.`,
      'Raise max_connections, or run fewer processes.',
    );
  if (ms > slowMs)
    return warn(
      name,
      `PostgreSQL ${version} took ${ms} ms for a small question.`,
      'Look at its load and at the way to it.',
    );
  return ok(name, `PostgreSQL ${version} answers in ${ms} ms (${bytesWords(bytes)}).`);
}

/** Why there is no connection: `kind` is the reason that PostgreSQL or the network gave, where it is a known one. */
export function checkFault(kind: Fault | undefined, { embedded }: { embedded: boolean }): Finding {
  if (embedded && kind !== 'DiskFull')
    return wrong(
      name,
      'The embedded PostgreSQL does not start.',
      'Check that this user may write in DATA_DIR and that the disk is not full.',
    );
  const [finding, cure] =
    kind === undefined
      ? ['PostgreSQL does not answer.', 'Look at its log, and whether DATABASE_URL names it.']
      : faultWords[kind];
  return wrong(name, finding, cure);
}
