import { randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { openBrowser } from '../../../demo/browser/browser.ts';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';

export interface StrictProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Follows an authorization request to where it ends; alice signs in and agrees by herself. */
  visit(url: URL): Promise<URL>;
}

/**
 * An independent provider with a public client `app`: it wants a nonce in every proof of possession, binds refresh tokens to
 * the key, and rotates them, each good for one use.
 */
export async function startStrictProvider(redirectUri: string): Promise<StrictProvider> {
  const server = await listenOnLoopback(0);
  const issuer = server.origin;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'app',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [redirectUri],
      },
    ],
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, name: 'Alice' }) }),
    issueRefreshToken: (_context, _client, { scopes }) => scopes.has('offline_access'),
    rotateRefreshToken: true,
    conformIdTokenClaims: true,
  });
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    const { prompt, params } = await provider.interactionDetails(context.req, context.res);
    const grant = new provider.Grant({ accountId: 'alice', clientId: 'app' });
    grant.addOIDCScope(String(params.scope));
    const answer =
      prompt.name === 'login' ? { login: { accountId: 'alice' } } : { consent: { grantId: await grant.save() } };
    const target = await provider.interactionResult(context.req, context.res, answer, {
      mergeWithLastSubmission: true,
    });
    context.redirect(target);
  });
  server.serve(provider.callback());
  return {
    issuer,
    visit: async (url) => {
      await using browser = openBrowser();
      return new URL((await browser.open(url.href)).url);
    },
    [Symbol.asyncDispose]: server.down,
  };
}
