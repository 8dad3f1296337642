/** A child of bench/exchange.ts: tells its parent how to reach it, and lives until it is killed. */
import { startProvider } from '../../demo/idp.ts';
import type { Person } from '../../demo/people.ts';
import { startRelyingParty } from '../../test/integration/demo/relying-party.ts';

const people: Person[] = Array.from({ length: Number(process.argv[2]) }, (_, n) => ({
  username: `person${n}`,
  password: `person${n}`,
  subject: `subject-${n}`,
  name: `Person ${n}`,
  email: `person${n}@demo.example`,
  zone: 'UTC',
  roles: [],
}));
const { client } = await startRelyingParty({ directAccess: true, consentRequired: false });
const { issuer } = await startProvider({ clients: [client], people });
process.send?.({ issuer, clientId: client.id, secret: client.secret, redirectUri: client.redirectUris[0], people });
