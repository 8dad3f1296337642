import { asksPerson, errorOf, wordsOf } from '../authorization.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import type { AuthorizationFacts } from '../installation.ts';

const name = 'sign-in';

export const signIn: Check = {
  name,
  run: async ({ authorization }) => checkSignIn(await authorization()),
};

/** Whether a person can begin to sign in: redirect address, flow and the scopes of signing in. */
export function checkSignIn({ redirectUri, scopes, signIn: asked, direct, believed }: AuthorizationFacts): Finding {
  if (asksPerson(asked))
    return ok(name, `The provider accepts authorization requests that come back to ${redirectUri}.`);
  const plain = direct?.signIn ?? asked;
  const said = wordsOf(asked, plain);
  if (plain.opened?.kind === 'shows')
    return unknown(
      name,
      `Whether the provider lets people come back to ${redirectUri} cannot be seen from here: it shows a page of its own even if nobody may be asked (prompt=none).`,
    );
  if (plain.opened?.kind === 'refuses' && believed)
    return wrong(
      name,
      `The provider does not let people come back to ${redirectUri} ${said}.`,
      'Add exactly this address to the redirect URIs of the client, or correct PUBLIC_URL.',
    );
  switch (errorOf(asked, plain)) {
    case undefined:
      return unknown(name, `It cannot be checked before the client is set up correctly ${said}.`);
    case 'unauthorized_client':
      return wrong(
        name,
        `The client may not send people to sign in ${said}.`,
        'Turn the authorization code flow on for it (Keycloak: Standard flow).',
      );
    case 'invalid_scope':
      return wrong(
        name,
        `The client may not request one of the scopes ${scopes.signIn} ${said}.`,
        'Give the client these scopes, or correct OIDC_SCOPES.',
      );
    default:
      return wrong(
        name,
        `The provider refuses authorization requests ${said}.`,
        'Correct what it names in the settings of the client; its log says more.',
      );
  }
}
