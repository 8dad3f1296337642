import { hash, randomUUID } from 'node:crypto';
import { exportJWK, importJWK, type JWK, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { AppError } from '../errors.ts';
import type { ClientCredentials } from './client-authentication.ts';
import { publicPartOf } from './client-keys.ts';

/** What a request to a server of the person's data is, for the proof that goes with it. */
export interface ProvenRequest {
  method: string;
  /** Without query and fragment (RFC 9449, section 4.2). */
  url: string;
  accessToken: string;
  /** The nonce that this server gave last. */
  nonce?: string | undefined;
}

/** The key that the tokens of one grant are bound to (RFC 9449). */
export interface BoundKey {
  /** The private key as it is kept, sealed: a JWK (RFC 7517) in JSON. */
  readonly text: string;
  /** For requests to the provider: it keeps the nonces, so there is one for each key. */
  handle(configuration: oidc.Configuration): oidc.DPoPHandle;
  prove(request: ProvenRequest): Promise<string>;
}

/** Keys at hand; the one used longest ago is forgotten first, and opened again when it is needed. */
export interface BoundKeys {
  make(): Promise<BoundKey>;
  open(text: string): Promise<BoundKey>;
}

const algorithm = 'ES256';
const mostAtHand = 10_000;

/** Opens bound keys, and keeps those in memory that are in use. */
export function openBoundKeys(): BoundKeys {
  const atHand = new Map<string, Promise<BoundKey>>();
  const open = (text: string) => {
    const key = atHand.get(text) ?? openBoundKey(text);
    atHand.delete(text);
    atHand.set(text, key);
    for (const oldest of atHand.keys()) if (atHand.size > mostAtHand) atHand.delete(oldest);
    return key;
  };
  const make = async () => {
    const { privateKey } = await oidc.randomDPoPKeyPair(algorithm, { extractable: true });
    return open(JSON.stringify(await exportJWK(privateKey)));
  };
  return { make, open };
}

async function openBoundKey(text: string): Promise<BoundKey> {
  const jwk: JWK = JSON.parse(text);
  const publicJwk = publicPartOf(jwk);
  const privateKey = await importCryptoKey(jwk);
  const publicKey = await importCryptoKey(publicJwk);
  let handle: oidc.DPoPHandle | undefined;
  return {
    text,
    handle: (configuration) => {
      handle ??= oidc.getDPoPHandle(configuration, { privateKey, publicKey });
      return handle;
    },
    prove: ({ method: htm, url: htu, accessToken, nonce }) =>
      new SignJWT({ htm, htu, ath: hash('sha256', accessToken, 'base64url'), ...(nonce !== undefined && { nonce }) })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk: publicJwk })
        .setJti(randomUUID())
        .setIssuedAt()
        .sign(privateKey),
  };
}

async function importCryptoKey(jwk: JWK) {
  const key = await importJWK(jwk, algorithm, { extractable: jwk.d === undefined });
  if (key instanceof Uint8Array) throw new Error('The key of a grant is not a key pair.');
  return key;
}

/**
 * Whether tokens are asked for that are bound to a key. `auto`: for a public client, whose offline token anybody could
 * use who has it, where the provider takes proofs; never for a confidential one, whose offline token is bound to the
 * client already (RFC 9449, section 5). Throws `provider/refused-client` where it is required and cannot be.
 */
export function bindsTokens(
  { authentication, dpop = 'auto' }: Pick<ClientCredentials, 'authentication'> & { dpop?: 'auto' | 'off' | 'required' },
  { dpop_signing_alg_values_supported: offered = [] }: oidc.ServerMetadata,
): boolean {
  const taken = offered.includes(algorithm);
  if (dpop !== 'required') return dpop === 'auto' && authentication === 'none' && taken;
  if (taken) return true;
  throw new AppError(
    'provider/refused-client',
    'Tokens must be bound to a key (OIDC_DPOP=required), but the provider does not say that it accepts DPoP proofs with ES256. The operator must turn DPoP on at the provider, or set OIDC_DPOP=auto.',
  );
}
