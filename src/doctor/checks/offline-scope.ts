import { asksPerson, wordsOf } from '../authorization.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import type { AuthorizationFacts } from '../installation.ts';

const name = 'offline scope';

export const offlineScope: Check = {
  name,
  run: async ({ authorization, client, profile }) => {
    const { metadata } = await client();
    if ('parameters' in (await profile()).offlineAccess)
      return ok(name, 'This make of provider is asked with a parameter instead of a scope.');
    return checkOfflineScope(await authorization(), metadata.scopes_supported);
  },
};

/** Whether the client may ask for offline access: its request is refused where the same without it is taken. */
export function checkOfflineScope(
  { signIn, consent, direct }: AuthorizationFacts,
  supported: readonly string[] | undefined,
): Finding {
  const plain = direct ?? { signIn, consent };
  const refused = plain.consent.opened?.error === 'invalid_scope' || (asksPerson(signIn) && !asksPerson(consent));
  if (refused)
    return wrong(
      name,
      `The client may not request offline_access ${wordsOf(consent, plain.consent)}.`,
      'Add offline_access to its scopes (Keycloak: Client scopes, as Optional).',
    );
  if (!asksPerson(consent))
    return unknown(name, 'Whether the client may request offline_access shows once people can sign in.');
  if (supported !== undefined && !supported.includes('offline_access'))
    return unknown(
      name,
      'The provider accepts the request, but does not list offline_access among its scopes. Some give offline access even so; the first consent will show it.',
    );
  return ok(name, 'The client may request offline_access.');
}
