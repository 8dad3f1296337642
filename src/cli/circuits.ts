import { minuteWords } from '../count-words.ts';
import { listCircuits, trustRefusals } from '../database/custody/circuits.ts';
import { trustMs } from '../domain/circuit.ts';
import { AppError } from '../errors.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printTable, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import type { Column } from './table.ts';

/**
 * Lists the circuits of providers. An open one closes by itself once a probe goes well; --trust closes one that opened
 * because many consents were refused, on the operator's word that they have really ended.
 */
export const circuits: Command = {
  usage: '[--trust ISSUER] [--json]',
  summary: 'list open circuits of providers, or accept their refusals as true',
  options: {
    trust: { value: 'ISSUER', help: 'accept that the consents which this provider refused have ended' },
    ...json,
  },
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    const issuer = text(options, 'trust');
    if (issuer !== undefined) await trust(resources, issuer);
    const rows = await listCircuits(resources.database);
    printTable(output, options, { rows, columns, none: 'No circuit was opened yet.' });
    return 0;
  },
};

async function trust({ clock, config, database }: RepositoryResources, issuer: string): Promise<void> {
  const { clientId } = config.provider;
  const at = clock.now();
  const trustedUntil = new Date(at.getTime() + trustMs);
  if (await trustRefusals(database, { issuer, clientId, trustedUntil, at, by: commandActor() })) return;
  throw new AppError('request/not-found', `There is no open circuit of ${issuer}. See: nightkeep circuits`);
}

type Row = Awaited<ReturnType<typeof listCircuits>>[number];

const columns: readonly Column<Row>[] = [
  { name: 'STATE', of: ({ open }) => (open ? 'open' : 'closed') },
  { name: 'PROVIDER', of: ({ issuer }) => issuer, stretches: true },
  { name: 'CLIENT', of: ({ clientId }) => clientId, stretches: true },
  { name: 'OPENED FOR', of: ({ reason }) => reason },
  { name: 'SINCE', of: ({ closedAt, openedAt }) => minuteWords(closedAt ?? openedAt) },
];
