import * as oidc from 'openid-client';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';

/** The smallest relying party there is: sends the browser off, and shows the address that it came back to. */
export interface RelyingParty extends AsyncDisposable {
  readonly client: DemoClient;
  /** Logout tokens that it was sent. */
  readonly logoutTokens: string[];
  /** Discovers the provider; `authentication` as openid-client names it. */
  discover(issuer: string, authentication?: oidc.ClientAuth): Promise<oidc.Configuration>;
  /** An authorization request, pushed unless told otherwise. */
  begin(config: oidc.Configuration, scope: string, extra?: Record<string, string>): Promise<Attempt>;
}

export interface Attempt {
  readonly url: string;
  /** Takes the address the browser ended at to the token endpoint. */
  finish(
    callback: string,
    options?: oidc.AuthorizationCodeGrantOptions,
  ): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

export async function startRelyingParty(overrides: Partial<DemoClient> = {}): Promise<RelyingParty> {
  const logoutTokens: string[] = [];
  const server = await listenOnLoopback(0);
  server.serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token');
    if (token) logoutTokens.push(token);
    response.end(`<p>Back at ${request.url}</p>`);
  });
  const { origin } = server;
  const redirectUri = `${origin}/callback`;
  const client: DemoClient = {
    id: 'rp',
    name: 'The Relying Party',
    authentication: 'client_secret_basic',
    secret: 'a secret & more',
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [`${origin}/bye`],
    backchannelLogoutUri: `${origin}/logout`,
    ...overrides,
  };
  return {
    client,
    logoutTokens,
    discover: (issuer, authentication) =>
      oidc.discovery(
        new URL(issuer),
        client.id,
        client.secret,
        authentication ?? oidc.ClientSecretBasic(client.secret),
        {
          execute: [oidc.allowInsecureRequests],
        },
      ),
    begin: async (config, scope, extra = {}) => {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const expectedState = oidc.randomState();
      const expectedNonce = oidc.randomNonce();
      const url = await oidc.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: redirectUri,
        scope,
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        ...extra,
      });
      return {
        url: url.href,
        finish: (callback, options) => {
          const checks = { pkceCodeVerifier, expectedState, expectedNonce };
          return oidc.authorizationCodeGrant(config, new URL(callback), checks, undefined, options);
        },
      };
    },
    [Symbol.asyncDispose]: server.down,
  };
}
