import { probeEveryMs } from '../../domain/circuit.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { type Circuit, Prisma } from '../generated/client.ts';

interface Client {
  issuer: string;
  clientId: string;
}

/**
 * Opens the circuit of a provider and client; true for the one who opened it, who tells the operators.
 */
export async function openCircuit(
  database: Database,
  { issuer, clientId, reason, at }: Client & { reason: string; at: Date },
): Promise<boolean> {
  const nextProbeAt = new Date(at.getTime() + probeEveryMs);
  return inTransaction(database, async (transaction) => {
    const opened = await transaction.$executeRaw`
      INSERT INTO circuits (issuer, client_id, open, reason, opened_at, next_probe_at)
      VALUES (${issuer}, ${clientId}, true, ${reason}, ${at}, ${nextProbeAt})
      ON CONFLICT (issuer, client_id) DO UPDATE SET open = true, reason = excluded.reason, opened_at = excluded.opened_at,
        next_probe_at = excluded.next_probe_at, closed_at = NULL
      WHERE NOT circuits.open`;
    if (opened === 0) return false;
    await saveEvent(transaction, 'circuit', idOf({ issuer, clientId }), {
      from: 'closed',
      to: 'open',
      reason,
      at,
      by: 'provider',
    });
    return true;
  });
}

/** Closes a circuit on an operator's word that refusals are true; they are believed until `trustedUntil`. False where it was not open. */
export async function trustRefusals(
  database: Database,
  { issuer, clientId, trustedUntil, at, by }: Client & { trustedUntil: Date; at: Date; by: string },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.circuit.updateMany({
      where: { issuer, clientId, open: true },
      data: { open: false, closedAt: at, trustedUntil },
    });
    if (count === 0) return false;
    await saveAudit(transaction, { at, by, act: 'refusals-trusted', about: issuer });
    const change = { from: 'open', to: 'closed', reason: 'trusted', at, by };
    await saveEvent(transaction, 'circuit', idOf({ issuer, clientId }), change);
    return true;
  });
}

/**
 * Closes a circuit because the provider traded a code for tokens: it believes our client, and gives tokens to people. Nothing where it
 * is not open.
 */
export async function closeCircuit(
  database: Transaction,
  { issuer, clientId, at, by }: Client & { at: Date; by: string },
): Promise<void> {
  const closed = await database.circuit.updateManyAndReturn({
    where: { issuer, clientId, open: true },
    data: { open: false, closedAt: at },
    select: { reason: true },
  });
  for (const { reason } of closed)
    await saveEvent(database, 'circuit', idOf({ issuer, clientId }), { from: 'open', to: 'closed', reason, at, by });
}

/** The circuit of a client at a provider, if there ever was trouble. */
export async function findCircuit(database: Database, { issuer, clientId }: Client): Promise<Circuit | null> {
  return database.circuit.findUnique({ where: { issuer_clientId: { issuer, clientId } } });
}

/**
 * Of each provider whose circuit is open and may be probed, the grant to probe with: the one that went well most recently and was not
 * asked since the circuit opened, then the others that may be asked, each in its turn. So a dead grant is not the only
 * one that is tried, and does not keep the circuit open.
 */
export async function listProbes(database: Database, at: Date): Promise<{ id: string }[]> {
  const own = Prisma.sql`g.issuer = c.issuer AND g.client_id = c.client_id`;
  const asked = Prisma.sql`e.grant_id = g.id AND e.fence = g.fence AND e.answered_at >= c.opened_at`;
  const first = (which: Prisma.Sql) => Prisma.sql`(SELECT g.id FROM grants g
    WHERE ${own} AND ${which} AND NOT EXISTS (SELECT FROM exchanges e WHERE ${asked}) ORDER BY g.last_exchanged_at DESC LIMIT 1)`;
  // Each of these is looked for only where the one before finds nothing. The last goes through all that were asked, but then all were: they are few.
  return database.$queryRaw<{ id: string }[]>`
    SELECT id FROM (
      SELECT coalesce(
        ${first(Prisma.sql`g.state = 'active' AND (g.reason IS NULL OR g.next_exchange_at <= ${at})`)},
        ${first(Prisma.sql`g.state IN ('suspect', 'needs_consent') AND g.next_exchange_at <= ${at}`)},
        (SELECT g.id FROM grants g JOIN exchanges e ON ${asked}
          WHERE ${own} AND ((g.state = 'active' AND g.reason IS NULL) OR (g.state <> 'withdrawn' AND g.next_exchange_at <= ${at}))
          ORDER BY e.answered_at, g.state <> 'active', g.last_exchanged_at DESC LIMIT 1)) AS id
      FROM circuits c WHERE c.open AND c.next_probe_at <= ${at}) probes
    WHERE id IS NOT NULL`;
}

/** All circuits, open ones first. */
export async function listCircuits(database: Database): Promise<Circuit[]> {
  return database.circuit.findMany({ orderBy: [{ open: 'desc' }, { openedAt: 'desc' }] });
}

function idOf({ issuer, clientId }: Client): string {
  return `${issuer} ${clientId}`;
}
