import { asksPerson } from '../authorization.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import type { AuthorizationFacts } from '../installation.ts';
import { evidence } from '../words.ts';

const name = 'pushed requests';

export const pushedRequests: Check = {
  name,
  run: async ({ authorization, client }) => {
    const { pushed_authorization_request_endpoint, require_pushed_authorization_requests } = (await client()).metadata;
    const offered = pushed_authorization_request_endpoint !== undefined;
    const demanded = require_pushed_authorization_requests === true;
    return checkPushedRequests(await authorization(), { offered, demanded });
  },
};

/** Whether requests are pushed, and whether that is demanded (RFC 9126). */
export function checkPushedRequests(
  { signIn, direct, believed }: AuthorizationFacts,
  { offered, demanded }: { offered: boolean; demanded: boolean },
): Finding {
  const only = demanded || (direct !== undefined && asksPerson(signIn) && !asksPerson(direct.signIn));
  if (!offered && only)
    return wrong(
      name,
      'The provider requires pushed requests, but names no address for them.',
      'Turn pushed authorization requests on at the provider, or stop requiring them.',
    );
  if (!offered) return ok(name, 'The provider offers none, so requests go through the browser.');
  const { pushed } = signIn;
  if (!believed || pushed === undefined) return unknown(name, 'Not tried: the provider does not accept the client.');
  if (direct !== undefined && !asksPerson(direct.signIn) && !asksPerson(signIn))
    return unknown(name, 'They can be checked only once sign-in works.');
  if (typeof pushed.body.request_uri !== 'string')
    return wrong(
      name,
      `The provider accepts requests from the browser, but not those that are pushed to it ${evidence(pushed)}.`,
      'Look at the log of the provider; it may require more of this client.',
    );
  const how = only ? 'demands them' : 'takes them';
  return ok(name, `The provider ${how}, and Nightkeep pushes.`);
}
