/** A child process of bench/exchange.ts: gets the people in a message, answers how to reach it, and ends with its parent. */
import { once } from 'node:events';
import type { Person } from '../../demo/people.ts';
import { startProvider } from '../../demo/provider/provider.ts';
import { startRelyingParty } from '../../test/support/servers/relying-party.ts';

process.once('disconnect', () => process.exit());
const [people]: [Person[]] = (await once(process, 'message')) as [Person[]];
const { client } = await startRelyingParty({ directAccess: true, consentRequired: false });
const { issuer } = await startProvider({ clients: [client], people });
process.send?.({ issuer, clientId: client.id, secret: client.secret, redirectUri: client.redirectUris[0] });
