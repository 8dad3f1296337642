import { randomUUID } from 'node:crypto';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import {
  type Authenticated,
  type Client,
  type ClientCredentials,
  openClientAuthentication,
} from './client-authentication.ts';
import { readClientKeys } from './client-keys.ts';
import type { Asking } from './inspect-provider.ts';
import { fetchThrough } from './provider-hosts.ts';
import { ask, type Reply } from './question.ts';

/** Nightkeep as a client of a provider, to ask what the provider makes of it. */
export interface ClientAtProvider extends Client, Asking {}

/** One way to prove who Nightkeep is: one of its secrets, one of its keys, or nothing where the client is public. */
export type Credential = Authenticated;

/** Each secret or key by itself, in the order of the settings. Throws `config/invalid`. */
export async function listCredentials(credentials: ClientCredentials): Promise<Credential[]> {
  switch (credentials.authentication) {
    case 'none':
      return [noCredential];
    case 'private_key_jwt':
      return (await readClientKeys(credentials.privateKeyPem ?? '')).map((key) =>
        openClientAuthentication(credentials, [key]),
      );
    default:
      return credentials.secrets.map((secret) => openClientAuthentication({ ...credentials, secrets: [secret] }, []));
  }
}

/** Nothing but the client's name. */
export const noCredential: Credential = openClientAuthentication({ authentication: 'none', secrets: [] }, []);

/** A token that is none. */
const nothing = 'nightkeep-doctor';

/** What the provider said to a refresh request with a token that is none. */
export interface Introduction {
  reply: Reply;
  /** Whether it took the request only with a proof of possession (RFC 9449). */
  possession: boolean;
  /** What it said to an introspection, where it was asked. */
  introspection?: Reply | undefined;
}

/**
 * Nothing can come of a refresh request with a token that is none, but a provider looks at the client first: one that
 * is believed hears `invalid_grant` (RFC 6749, section 5.2).
 */
export async function introduce(client: ClientAtProvider, credential: Credential): Promise<Introduction> {
  const request = { grant_type: 'refresh_token', refresh_token: nothing };
  const endpoint = client.metadata.token_endpoint ?? '';
  const reply = await askAsClient(client, credential, endpoint, request);
  if (!mayWantProof(reply)) return { reply, possession: false };
  const key = await generateKeyPair('ES256');
  const proving = async (nonce: string | undefined) =>
    askAsClient(client, credential, endpoint, request, { dpop: await newProof(client.clock, key, endpoint, nonce) });
  const first = await proving(reply.nonce);
  const proven = first.body.error === 'use_dpop_nonce' ? await proving(first.nonce) : first;
  return proven.body.error === 'invalid_grant' ? { reply: proven, possession: true } : { reply, possession: false };
}

/** Keycloak says invalid_request of a proof that is missing, others what RFC 9449 says. */
function mayWantProof({ body }: Reply): boolean {
  return body.error === 'invalid_request' || body.error === 'invalid_dpop_proof' || body.error === 'use_dpop_nonce';
}

/**
 * Introspection (RFC 7662) looks at the client first too, and tells of a token that is none no more than that: `active` is
 * false. Undefined where the provider offers no introspection.
 */
export async function introspectNothing(client: ClientAtProvider, credential: Credential): Promise<Reply | undefined> {
  const { introspection_endpoint: endpoint } = client.metadata;
  return endpoint === undefined ? undefined : askAsClient(client, credential, endpoint, { token: nothing });
}

/** A password request that names nobody: nothing can come of it, but Keycloak looks first at whether people must be asked. */
export async function askWithoutPerson(client: ClientAtProvider, credential: Credential): Promise<Reply> {
  return askAsClient(client, credential, client.metadata.token_endpoint ?? '', { grant_type: 'password' });
}

/** A request of the client, with one way to prove who it is. */
export async function askAsClient(
  client: ClientAtProvider,
  authenticated: Credential,
  endpoint: string,
  parameters: Record<string, string>,
  extra: Record<string, string> = {},
): Promise<Reply> {
  const send = authenticated(
    client,
    async (url, request) => (await fetchThrough(client.hosts, url, request as never)) as never,
  );
  const body = new URLSearchParams(parameters);
  const headers = { accept: 'application/json', ...extra };
  const request = { method: 'POST', redirect: 'manual' as const, body, headers };
  return ask(client.clock, new URL(endpoint), (url, signal) => send(url, { ...request, signal }));
}

/** A proof that its bearer has some key (RFC 9449, section 4.2). */
async function newProof(
  clock: Asking['clock'],
  key: GenerateKeyPairResult,
  endpoint: string,
  nonce: string | undefined,
) {
  return new SignJWT({ htm: 'POST', htu: endpoint, ...(nonce !== undefined && { nonce }) })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(key.publicKey) })
    .setJti(randomUUID())
    .setIssuedAt(Math.floor(clock.now().getTime() / 1000))
    .sign(key.privateKey);
}
