import { connectionFault } from '../../connection-fault.ts';
import { isOpenToListeners } from '../../domain/addresses.ts';
import { missingEndpoints, type Published } from '../../oidc/inspect-provider.ts';
import type { Reply } from '../../oidc/question.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'discovery';
const slowMs = 4_000;

export const discovery: Check = {
  name,
  run: async ({ published, setting }) => checkDiscovery(setting('issuer'), await published()),
};

/** Whether the provider is there, is the one that was meant, and has what Nightkeep needs. */
export function checkDiscovery(issuer: URL, { url, reply, metadata }: Published): Finding {
  if (metadata === undefined) return checkSilence(url, reply);
  if (isOpenToListeners(issuer))
    return wrong(
      name,
      'OIDC_ISSUER is plain http, where anybody on the way can read secret and tokens, so Nightkeep sends nothing there.',
      'Serve the provider over https and set OIDC_ISSUER to that address.',
    );
  if (URL.parse(metadata.issuer)?.href !== issuer.href)
    return wrong(
      name,
      `The provider at ${issuer.href} names itself ${metadata.issuer}.`,
      `Set OIDC_ISSUER to ${metadata.issuer} if that is the address people use; otherwise correct the provider's own name (on Keycloak KC_HOSTNAME).`,
    );
  const missing = missingEndpoints(metadata);
  if (missing.length > 0)
    return wrong(
      name,
      `The discovery document lacks ${someOf(missing)}.`,
      'Is it an OpenID provider? Correct OIDC_ISSUER, or the provider.',
    );
  const open = endpointsOf(metadata).filter(([, address]) => isOpenToListeners(address));
  if (open.length > 0)
    return wrong(
      name,
      `The provider names plain http addresses: ${someOf(open.map(([endpoint]) => endpoint))}.`,
      'Tell the provider its https address (on Keycloak KC_HOSTNAME, and KC_PROXY_HEADERS behind a proxy).',
    );
  if (reply.ms > slowMs)
    return warn(
      name,
      `The provider is set up correctly, but took ${reply.ms} ms to answer.`,
      'Look at its load: every night asks it once for each person.',
    );
  if (metadata.revocation_endpoint === undefined)
    return warn(
      name,
      'The provider offers no revocation (RFC 7009), so a token stays valid after its consent is withdrawn here.',
      'Turn revocation on at the provider; otherwise people must remove the access there as well.',
    );
  return ok(name, `${issuer.href} answers in ${reply.ms} ms, has that name and every endpoint.`);
}

function checkSilence(url: URL, { status, failure, location }: Reply): Finding {
  if (failure !== undefined) {
    const fault = connectionFault(failure, { at: 'OIDC_ISSUER' });
    if (fault !== undefined) return wrong(name, `${url.href} ${fault.what} (${failure}).`, `${fault.cure}.`);
    return wrong(name, `${url.href} does not answer (${failure}).`, cureOfFailure(failure));
  }
  if (status === 404)
    return wrong(
      name,
      `There is no provider at ${url.href} (404).`,
      'Correct OIDC_ISSUER: on Keycloak it is https://HOST/realms/REALM, and the realm must be there.',
    );
  if (location !== undefined)
    return wrong(name, `${url.href} points to ${location.href}.`, 'Set OIDC_ISSUER to the address the provider names.');
  if (status === 200)
    return wrong(
      name,
      `What answers at ${url.href} is not an OpenID provider.`,
      'Correct OIDC_ISSUER: it is the address without /.well-known/openid-configuration.',
    );
  return wrong(name, `${url.href} answers ${status}.`, "Look at the provider's log, and at the proxy before it.");
}

/** Codes as the machine names them. */
function cureOfFailure(failure: string): string {
  if (/TLS|SSL/i.test(failure)) return 'Look at the TLS settings of the provider: no connection can be secured.';
  if (/timeout/i.test(failure))
    return 'Check whether a firewall is in the way, and whether the provider is overloaded.';
  if (/UND_ERR_SOCKET|ECONNRESET/.test(failure))
    return 'Something listens there and ends the connection: if it speaks TLS, write https:// in OIDC_ISSUER; otherwise look at its log.';
  if (failure === 'blocked-port')
    return 'Serve the provider at another port and correct OIDC_ISSUER: this one is for another protocol, and browsers ask nothing there either.';
  return 'Start the provider, or correct host and port in OIDC_ISSUER.';
}

function endpointsOf(metadata: NonNullable<Published['metadata']>): [string, URL][] {
  return Object.entries(metadata).flatMap(([member, value]): [string, URL][] => {
    const address = /_endpoint$|^jwks_uri$/.test(member) && typeof value === 'string' ? URL.parse(value) : null;
    return address === null ? [] : [[member, address]];
  });
}
