import type { Visit } from '../visit.ts';

/** The public keys of Nightkeep as a client of the provider (RFC 7517), for `jwks_uri` there. */
export async function jwks({ c, resources: { issuer } }: Visit): Promise<Response> {
  return c.body(JSON.stringify(await issuer.publicKeys()), 200, {
    'content-type': 'application/jwk-set+json',
    'cache-control': 'public, max-age=300',
  });
}
