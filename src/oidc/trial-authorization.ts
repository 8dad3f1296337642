import * as oidc from 'openid-client';
import { askAsClient, type ClientAtProvider, type Credential } from './inspect-client.ts';
import { ask, getThrough, type Reply } from './question.ts';

/** What an authorization request came to in a browser that nobody sits before. */
export interface Opened {
  /**
   * returned: to Nightkeep, with this error. asks: the provider would now ask a person. refuses: it shows a page that is
   * an error, as it must where client or redirect address are wrong. shows: some page, although nobody may be asked, as
   * providers do that let people sign in before they look at the request. silent: no answer.
   */
  kind: 'returned' | 'asks' | 'refuses' | 'shows' | 'silent';
  error?: string;
  description?: string;
}

export interface Asked {
  /** Absent where the request was not pushed. */
  pushed?: Reply;
  /** Absent where the provider did not take the pushed request. */
  opened?: Opened;
}

export interface TrialRequest {
  redirectUri: string;
  scope: string;
  /** none: nobody may be asked. consent: without it a provider must overlook offline_access (OpenID Connect Core 1.0, section 11). */
  prompt: 'none' | 'consent';
  /** Pushes the request first (RFC 9126). */
  pushWith?: Credential | undefined;
}

/** Opens the door as a browser would, and goes no further. */
export async function askAuthorization(client: ClientAtProvider, request: TrialRequest): Promise<Asked> {
  const { clientId, metadata } = client;
  const { pushWith } = request;
  const parameters = { client_id: clientId, ...(await parametersOf(request)) };
  if (pushWith === undefined) return { opened: await open(client, request, parameters) };
  const pushed = await askAsClient(client, pushWith, metadata.pushed_authorization_request_endpoint ?? '', parameters);
  const { request_uri } = pushed.body;
  if (typeof request_uri !== 'string') return { pushed };
  return { pushed, opened: await open(client, request, { client_id: clientId, request_uri }) };
}

async function parametersOf({ redirectUri, scope, prompt }: TrialRequest): Promise<Record<string, string>> {
  return {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    prompt,
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  };
}

async function open(
  { clock, hosts, metadata }: ClientAtProvider,
  request: TrialRequest,
  parameters: Record<string, string>,
): Promise<Opened> {
  const url = new URL(metadata.authorization_endpoint ?? '');
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return readOpened(await ask(clock, url, getThrough(hosts)), request);
}

/** What the provider did with the browser. */
function readOpened({ status, location }: Reply, { redirectUri, prompt }: TrialRequest): Opened {
  if (status === undefined) return { kind: 'silent' };
  if (location === undefined) return { kind: status >= 400 ? 'refuses' : prompt === 'consent' ? 'asks' : 'shows' };
  const { searchParams } = location;
  if (new URL('?', location).href.replace(/\?$/, '') !== redirectUri) return { kind: 'asks' };
  const [error, description] = [searchParams.get('error'), searchParams.get('error_description')];
  return { kind: 'returned', ...(error !== null && { error }), ...(description !== null && { description }) };
}
