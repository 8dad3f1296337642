import {
  type ClientAuth,
  ClientSecretPost,
  type CustomFetch,
  None,
  PrivateKeyJwt,
  type ServerMetadata,
} from 'openid-client';
import { AppError } from '../errors.ts';
import type { ClientKey } from './client-keys.ts';

export interface ClientCredentials {
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** Tried in order until the provider takes one. */
  secrets: readonly string[];
  /** One private key in PEM (PKCS #8) or several, the newest first; tried in order too. */
  privateKeyPem?: string;
}

/** Nightkeep as a client of a provider. */
export interface Client {
  clientId: string;
  metadata: ServerMetadata;
}

/**
 * The same fetch, but each form that it sends proves who Nightkeep is: with the secret or key that the provider took last,
 * and while the provider refuses the client itself, once more with each other one. A client that is refused uses no code
 * and no token up (RFC 6749, section 5.2).
 */
export type Authenticated = (client: Client, send: CustomFetch) => CustomFetch;

/** How Nightkeep proves who it is at the provider. Throws `config/invalid`. */
export function openClientAuthentication(credentials: ClientCredentials, keys: readonly ClientKey[]): Authenticated {
  const methods = methodsFor(credentials, keys);
  let taken = 0;
  return (client, send) => async (url, options) => {
    const { body: form } = options;
    if (!(form instanceof URLSearchParams)) return send(url, options);
    const sendWith = async (turn: number) =>
      send(url, { ...options, ...(await prove(methods[turn], client, form, options.headers)) });
    const first = taken;
    let answer = await sendWith(first);
    for (let step = 1; step < methods.length && (await refusesClient(answer)); step += 1) {
      const turn = (first + step) % methods.length;
      answer = await sendWith(turn);
      if (!(await refusesClient(answer))) taken = turn;
    }
    return answer;
  };
}

/** For the library, which leaves the proof to the fetch that it is given. */
export const authenticatedByFetch: ClientAuth = () => undefined;

/** The same form and headers with the proof in them. */
async function prove(
  method: ClientAuth | undefined,
  { clientId, metadata }: Client,
  form: URLSearchParams,
  plain: Record<string, string>,
) {
  const body = new URLSearchParams(form);
  const headers = new Headers(plain);
  await method?.(metadata, { client_id: clientId }, body, headers);
  return { body, headers: Object.fromEntries(headers) };
}

/** What Keycloak says by 401 of a wrong secret; the last one only of a pushed request. */
const refusals: readonly unknown[] = ['invalid_client', 'unauthorized_client', 'invalid_request'];

/** A wrong assertion, and by the letter of RFC 6749 any wrong client, may also be invalid_client by 400. */
async function refusesClient(answer: Response): Promise<boolean> {
  if (answer.status !== 400 && answer.status !== 401) return false;
  const error = await answer
    .clone()
    .json()
    .then((body: unknown) => (typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined))
    .catch(() => undefined);
  return answer.status === 401 ? refusals.includes(error) : error === 'invalid_client';
}

/**
 * client_secret_basic (RFC 6749, section 2.3.1), which form-encodes both parts. What decoding leaves as it is goes plain, since
 * some providers do not decode: the library would send `-`, `_`, `.` and `~` escaped, which those refuse.
 */
function secretInHeader(secret: string): ClientAuth {
  return (_, client, _body, headers) => {
    const credentials = [client.client_id, secret].map(formEncoded).join(':');
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

/** As `application/x-www-form-urlencoded`; `~` is as safe as the others. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1).replaceAll('%7E', '~');
}

/** A key that was imported at the provider, not read from `/jwks`, has another name there: last it goes without one. */
function methodsFor(credentials: ClientCredentials, keys: readonly ClientKey[]): ClientAuth[] {
  const { authentication, secrets } = credentials;
  if (authentication === 'none') return [None()];
  const methods =
    authentication === 'private_key_jwt'
      ? [...keys.map(({ key, kid }) => PrivateKeyJwt({ key, kid })), ...keys.map(({ key }) => PrivateKeyJwt(key))]
      : secrets.map(authentication === 'client_secret_post' ? ClientSecretPost : secretInHeader);
  if (methods.length > 0) return methods;
  const setting = authentication === 'private_key_jwt' ? 'OIDC_PRIVATE_KEY' : 'OIDC_CLIENT_SECRET';
  throw new AppError('config/invalid', `${setting} is missing: ${authentication} needs it.`);
}
