import { importPKCS8 } from 'jose';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, PrivateKeyJwt } from 'openid-client';
import { HouseError } from '../errors.ts';

export interface ClientCredentials {
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** The first is used until it is refused, then the next, and so on in a ring. */
  secrets: readonly string[];
  privateKeyPem?: string;
}

export interface ClientAuthentication {
  authenticate: ClientAuth;
  /** The provider refused the client: use the next secret from now on. */
  refused(): void;
}

/** How Nightkeep proves who it is at the token endpoint. Throws `config/invalid`. */
export async function openClientAuthentication(credentials: ClientCredentials): Promise<ClientAuthentication> {
  const ring = await methodsFor(credentials);
  let current = 0;
  return {
    authenticate: (...request) => ring[current % ring.length]?.(...request),
    refused: () => {
      current += 1;
    },
  };
}

async function methodsFor({ authentication, secrets, privateKeyPem }: ClientCredentials): Promise<ClientAuth[]> {
  if (authentication === 'private_key_jwt') return [PrivateKeyJwt(await importKey(privateKeyPem ?? ''))];
  if (secrets.length === 0)
    throw new HouseError('config/invalid', 'OIDC_CLIENT_SECRET is missing. Set it to the secret of the client.');
  const method = authentication === 'client_secret_post' ? ClientSecretPost : ClientSecretBasic;
  return secrets.map((secret) => method(secret));
}

async function importKey(pem: string) {
  for (const algorithm of ['RS256', 'ES256', 'Ed25519']) {
    try {
      return await importPKCS8(pem, algorithm);
    } catch {
      // Another kind of key, or none: the next algorithm, and in the end the error below, tells.
    }
  }
  throw new HouseError(
    'config/invalid',
    'OIDC_PRIVATE_KEY is not a private key of RSA, P-256 or Ed25519 in PEM (PKCS #8).',
  );
}
