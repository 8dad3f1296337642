import { listCircuits, trustRefusals } from '../database/circuits.ts';
import { trustMs } from '../domain/circuit.ts';
import { AppError } from '../errors.ts';
import { type Command, text } from './command.ts';
import { openHouse } from './open-house.ts';

/**
 * Lists the circuits of providers. An open one closes by itself once a probe goes well; --trust closes one that opened
 * because many consents were refused, on the operator's word that they have really ended.
 */
export const circuits: Command = {
  usage: '[--trust ISSUER] [--json]',
  summary: 'trouble with providers; believe their refusals',
  options: { trust: { type: 'string' }, json: { type: 'boolean' } },
  run: async (options, output) => {
    await using house = await openHouse();
    const { database, clock } = house;
    const issuer = text(options, 'trust');
    if (issuer !== undefined) {
      const at = clock.now();
      const trustedUntil = new Date(at.getTime() + trustMs);
      const { clientId } = house.issuer;
      if (!(await trustRefusals(database, { issuer, clientId, trustedUntil, at, by: 'operator' })))
        throw new AppError('request/not-found', `There is no open circuit of ${issuer}. See: nightkeep circuits`);
    }
    const rows = await listCircuits(database);
    for (const row of rows)
      output.line(
        options.json === true
          ? JSON.stringify(row)
          : `${row.open ? 'open  ' : 'closed'} ${row.issuer} (${row.clientId}): ${row.reason}, since ${(row.closedAt ?? row.openedAt).toISOString()}`,
      );
    if (rows.length === 0 && options.json !== true) output.line('There was no trouble with any provider.');
    return 0;
  },
};
