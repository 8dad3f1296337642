import { isBlockedByBrowsers, isLoopback } from '../../domain/addresses.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';

const name = 'public address';

export const publicAddress: Check = {
  name,
  run: async ({ setting }) => checkPublicAddress(setting('publicUrl')),
};

/** Session cookies are `Secure` and named `__Host-`: a browser keeps them over https, or from this machine. */
export function checkPublicAddress(url: URL): Finding {
  if (url.protocol === 'http:' && !isLoopback(url)) {
    return wrong(
      name,
      `PUBLIC_URL is ${url.origin}: over plain http browsers do not keep the session, so nobody can sign in.`,
      'Put a proxy with a certificate in front and set PUBLIC_URL to its https address.',
    );
  }
  if (isBlockedByBrowsers(url)) {
    return wrong(
      name,
      `PUBLIC_URL has port ${url.port}, which belongs to another protocol: browsers refuse to open ${url.origin}, so nobody can sign in.`,
      'Serve the pages at another port, such as 3000 or 443, and set PUBLIC_URL to it.',
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return warn(
      name,
      `Of PUBLIC_URL only ${url.origin} counts: Nightkeep needs a host of its own, not a folder of one.`,
      `Set PUBLIC_URL to ${url.origin}, or give Nightkeep a host name of its own.`,
    );
  }
  if (url.protocol === 'http:')
    return ok(name, `${url.origin} is on this machine, where browsers keep the session without https too.`);
  return ok(name, `${url.origin} is https, so browsers keep the session.`);
}
