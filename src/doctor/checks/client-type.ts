import { type Introduction, introduce, noCredential } from '../../oidc/inspect-client.ts';
import type { Check } from '../check.ts';
import { isBelieved } from '../client-facts.ts';
import { type Finding, warn } from '../finding.ts';

const name = 'client type';

export const clientType: Check = {
  name,
  run: async ({ client, setting }) => {
    const atProvider = await client();
    const about = { clientId: atProvider.clientId, authentication: setting('authentication') };
    return checkClientType(about, await introduce(atProvider, noCredential));
  },
};

/** A client that needs no proof although Nightkeep has one: whoever knows its id may act as Nightkeep. */
function checkClientType(
  { clientId, authentication }: { clientId: string; authentication: string },
  withoutProof: Introduction,
): Finding[] {
  if (authentication === 'none' || !isBelieved(withoutProof)) return [];
  return [
    warn(
      name,
      `The provider accepts ${clientId} without any proof: it is a public client there, and ${authentication} protects nothing.`,
      'Make it confidential (Keycloak: Client authentication), then set its new secret here.',
    ),
  ];
}
