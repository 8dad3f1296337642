import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type CustomFetch,
  None,
  PrivateKeyJwt,
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

export interface ClientAuthentication {
  /** Proves who Nightkeep is, with the secret or key that the provider took last. */
  authenticate: ClientAuth;
  /**
   * Sends as `send` does; while the provider refuses the client itself, once more with each other secret or key. A
   * client that is refused uses no code and no token up (RFC 6749, section 5.2).
   */
  trying(send: CustomFetch): CustomFetch;
}

/** Proves who asks, in a request that is known by its body. */
interface Asked {
  turn: number;
  prove(turn: number, body: URLSearchParams, headers: Headers): void | Promise<void>;
}

/** How Nightkeep proves who it is at the provider. Throws `config/invalid`. */
export function openClientAuthentication(
  credentials: ClientCredentials,
  keys: readonly ClientKey[],
): ClientAuthentication {
  const ring = methodsFor(credentials, keys);
  const asked = new WeakMap<object, Asked>();
  let taken = 0;
  return {
    authenticate: (server, client, body, headers) => {
      const prove: Asked['prove'] = (turn, ...request) => ring[turn]?.(server, client, ...request);
      asked.set(body, { turn: taken, prove });
      return prove(taken, body, headers);
    },
    trying: (send) => async (url, options) => {
      let answer = await send(url, options);
      const form = options.body instanceof URLSearchParams ? options.body : undefined;
      const first = form && asked.get(form);
      if (first === undefined) return answer;
      for (let step = 1; step < ring.length && (await refusesClient(answer)); step += 1) {
        const turn = (first.turn + step) % ring.length;
        const body = new URLSearchParams(form);
        const headers = new Headers(options.headers);
        await first.prove(turn, body, headers);
        answer = await send(url, { ...options, body, headers: Object.fromEntries(headers) });
        if (!(await refusesClient(answer))) taken = turn;
      }
      return answer;
    },
  };
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

/** A key that was handed to the provider by itself, not from `/jwks`, has another name there: last it goes without one. */
function methodsFor(credentials: ClientCredentials, keys: readonly ClientKey[]): ClientAuth[] {
  const { authentication, secrets } = credentials;
  if (authentication === 'none') return [None()];
  const ring =
    authentication === 'private_key_jwt'
      ? [...keys.map(({ key, kid }) => PrivateKeyJwt({ key, kid })), ...keys.map(({ key }) => PrivateKeyJwt(key))]
      : secrets.map(authentication === 'client_secret_post' ? ClientSecretPost : ClientSecretBasic);
  if (ring.length > 0) return ring;
  const setting = authentication === 'private_key_jwt' ? 'OIDC_PRIVATE_KEY' : 'OIDC_CLIENT_SECRET';
  throw new AppError('config/invalid', `${setting} is missing: ${authentication} needs it.`);
}
