import { startCloud } from './cloud.ts';
import { startProvider } from './idp.ts';
import { alice, bob, people } from './people.ts';

const provider = await startProvider({ clients: [], people });
const cloud = await startCloud({ issuer: provider.issuer, people: [alice, bob] });
console.log(`The provider   ${provider.issuer}\nThe cloud      ${cloud.url}`);
