import { askWithoutPerson } from '../../oidc/inspect-client.ts';
import type { Reply } from '../../oidc/question.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn } from '../finding.ts';

const name = 'consent screen';

export const consentScreen: Check = {
  name,
  run: async ({ believed, client }) => {
    const [atProvider, credential] = [await client(), await believed()];
    if (credential === undefined) return [];
    const { clientId, metadata } = atProvider;
    const isKeycloak = /\/realms\/[^/]+\/protocol\/openid-connect\/token$/.test(metadata.token_endpoint ?? '');
    return checkConsentScreen(clientId, await askWithoutPerson(atProvider, credential), { isKeycloak });
  },
};

/**
 * Whether people are asked before they give offline access. Keycloak tells only where the client may use passwords;
 * `reply` is its answer to a password request that names nobody.
 */
export function checkConsentScreen(clientId: string, reply: Reply, { isKeycloak }: { isKeycloak: boolean }): Finding {
  const { error } = reply.body;
  if (error === 'invalid_client') return ok(name, `The provider asks people before ${clientId} gets anything.`);
  if (isKeycloak && (error === 'invalid_request' || error === 'invalid_grant'))
    return warn(
      name,
      `Keycloak gives ${clientId} what it asks for without asking the person.`,
      'Turn Consent required on for this client.',
    );
  return unknown(name, 'Whether the provider asks people cannot be seen from here (Keycloak: Consent required).');
}
