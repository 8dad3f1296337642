import { randomUUID } from 'node:crypto';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '../clock.ts';
import { type ClientCredentials, openClientAuthentication } from './client-authentication.ts';
import { readClientKeys } from './client-keys.ts';
import { ask, type Reply } from './question.ts';

/** Nightkeep as a client of a provider, to ask what the provider makes of it. */
export interface ClientAtProvider {
  clock: Clock;
  metadata: oidc.ServerMetadata;
  clientId: string;
}

/** One way to prove who Nightkeep is: one of its secrets, or its key. */
export type Credential = oidc.ClientAuth;

/** Each secret or key by itself, in the order of the settings. Throws `config/invalid`. */
export async function listCredentials(credentials: ClientCredentials): Promise<Credential[]> {
  const keys = await readClientKeys(credentials.privateKeyPem ?? '');
  const each = credentials.authentication.startsWith('client_secret')
    ? credentials.secrets.map((secret) => ({ ...credentials, secrets: [secret] }))
    : [credentials];
  return each.map((one) => openClientAuthentication(one, keys).authenticate);
}

/** As a client that proves nothing: whether a provider takes that for this client. */
export const noCredential: Credential = oidc.None();

/** What the provider said to a refresh request with a token that is none. */
export interface Introduction {
  reply: Reply;
  /** Whether it took the request only with a proof of possession (RFC 9449). */
  possession: boolean;
}

/**
 * Nothing can come of a refresh request with a token that is none, but a provider looks at the client first: one that
 * is believed hears `invalid_grant` (RFC 6749, section 5.2).
 */
export async function introduce(client: ClientAtProvider, credential: Credential): Promise<Introduction> {
  const request = { grant_type: 'refresh_token', refresh_token: 'nightkeep-doctor' };
  const endpoint = client.metadata.token_endpoint ?? '';
  const reply = await post(client, credential, endpoint, request);
  if (!mayWantProof(reply)) return { reply, possession: false };
  const key = await generateKeyPair('ES256');
  const proving = async (nonce: string | undefined) =>
    post(client, credential, endpoint, request, { dpop: await newProof(client.clock, key, endpoint, nonce) });
  const first = await proving(reply.nonce);
  const proven = first.body.error === 'use_dpop_nonce' ? await proving(first.nonce) : first;
  return proven.body.error === 'invalid_grant' ? { reply: proven, possession: true } : { reply, possession: false };
}

/** Keycloak says invalid_request of a proof that is missing, others what RFC 9449 says. */
function mayWantProof({ body }: Reply): boolean {
  return body.error === 'invalid_request' || body.error === 'invalid_dpop_proof' || body.error === 'use_dpop_nonce';
}

/** A password request that names nobody: nothing can come of it, but Keycloak looks first at whether people must be asked. */
export async function askWithoutPerson(client: ClientAtProvider, credential: Credential): Promise<Reply> {
  return post(client, credential, client.metadata.token_endpoint ?? '', { grant_type: 'password' });
}

/** What an authorization request came to in a browser that nobody sits before. */
export interface Opened {
  /**
   * returned: to Nightkeep, with this error. asks: the provider would now ask a person. refuses: it shows a page that is
   * an error, as it must where client or redirect address are wrong. silent: no answer.
   */
  kind: 'returned' | 'asks' | 'refuses' | 'silent';
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
  const pushed = await post(client, pushWith, metadata.pushed_authorization_request_endpoint ?? '', parameters);
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
  { clock, metadata }: ClientAtProvider,
  request: TrialRequest,
  parameters: Record<string, string>,
): Promise<Opened> {
  const url = new URL(metadata.authorization_endpoint ?? '');
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return readOpened(await ask(clock, url), request);
}

/** What the provider did with the browser. */
function readOpened({ status, location }: Reply, { redirectUri, prompt }: TrialRequest): Opened {
  if (status === undefined) return { kind: 'silent' };
  if (location === undefined) return { kind: prompt === 'consent' && status < 400 ? 'asks' : 'refuses' };
  const { searchParams } = location;
  if (new URL('?', location).href.replace(/\?$/, '') !== redirectUri) return { kind: 'asks' };
  const [error, description] = [searchParams.get('error'), searchParams.get('error_description')];
  return { kind: 'returned', ...(error !== null && { error }), ...(description !== null && { description }) };
}

async function post(
  { clock, metadata, clientId }: ClientAtProvider,
  credential: Credential,
  endpoint: string,
  parameters: Record<string, string>,
  extra: Record<string, string> = {},
): Promise<Reply> {
  const body = new URLSearchParams(parameters);
  const headers = new Headers({ accept: 'application/json', ...extra });
  await credential(metadata, { client_id: clientId }, body, headers);
  return ask(clock, new URL(endpoint), { method: 'POST', body, headers });
}

/** A proof that its bearer has some key (RFC 9449, section 4.2). */
async function newProof(clock: Clock, key: GenerateKeyPairResult, endpoint: string, nonce: string | undefined) {
  return new SignJWT({ htm: 'POST', htu: endpoint, ...(nonce !== undefined && { nonce }) })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(key.publicKey) })
    .setJti(randomUUID())
    .setIssuedAt(Math.floor(clock.now().getTime() / 1000))
    .sign(key.privateKey);
}
