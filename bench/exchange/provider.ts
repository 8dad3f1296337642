/** A child of bench/exchange.ts: is told who the people are, tells its parent how to reach it, and lives as long as its parent does. */
import { once } from 'node:events';
import type { Person } from '../../demo/people.ts';
import { startProvider } from '../../demo/provider/provider.ts';
import { startRelyingParty } from '../../test/support/servers/relying-party.ts';

process.once('disconnect', () => process.exit());
const [people]: [Person[]] = (await once(process, 'message')) as [Person[]];
const { client } = await startRelyingParty({ directAccess: true, consentRequired: false });
const { issuer } = await startProvider({ clients: [client], people });
process.send?.({ issuer, clientId: client.id, secret: client.secret, redirectUri: client.redirectUris[0] });
