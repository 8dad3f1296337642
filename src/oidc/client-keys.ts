import { type CryptoKey, calculateJwkThumbprint, exportJWK, importPKCS8, type JWK } from 'jose';
import { AppError } from '../errors.ts';

/** A key that Nightkeep signs client assertions with (RFC 7523). */
export interface ClientKey {
  key: CryptoKey;
  /** The thumbprint of the key (RFC 7638). */
  kid: string;
  /** For the provider to read at `/jwks`. */
  publicJwk: JWK;
}

const pemShape = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g;
const algorithms = ['RS256', 'ES256', 'Ed25519'];
/** All that of each kind may be seen by others (RFC 7518, section 6; RFC 8037): anything else may be private. */
const publicMembers: Record<string, readonly (keyof JWK)[]> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
};

/** Reads one private key or several, the newest first. Throws `config/invalid`, never naming any of it. */
export async function readClientKeys(pems: string): Promise<ClientKey[]> {
  const blocks = pems.match(pemShape) ?? [];
  if (blocks.length === 0 && pems.trim() !== '') throw invalid('holds no private key in PEM');
  return Promise.all(blocks.map(readKey));
}

async function readKey(pem: string, index: number): Promise<ClientKey> {
  for (const alg of algorithms) {
    try {
      const key = await importPKCS8(pem, alg, { extractable: true });
      const publicJwk = publicPartOf(await exportJWK(key));
      const kid = await calculateJwkThumbprint(publicJwk);
      return { key, kid, publicJwk: { ...publicJwk, kid, alg, use: 'sig' } };
    } catch {
      // Another kind of key, or none: the next algorithm, and in the end the error below, tells.
    }
  }
  throw invalid(`is not understood in its key ${index + 1}: it must be RSA, P-256 or Ed25519 in PEM (PKCS #8)`);
}

/** What others may see of a key. */
export function publicPartOf(jwk: JWK): JWK {
  const names = publicMembers[jwk.kty ?? ''] ?? [];
  return Object.fromEntries(names.map((name) => [name, jwk[name]]));
}

function invalid(what: string): AppError {
  return new AppError(
    'config/invalid',
    `OIDC_PRIVATE_KEY ${what}. Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`,
  );
}
