import { createHmac, randomBytes } from 'node:crypto';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose';
import type { Tables } from './idp-tables.ts';

/** The realm's keys: one pair signs what others verify, a secret of its own signs offline tokens, as on Keycloak. */
export interface Keys {
  /** The pair that signs now. */
  signing(): { id: string; publicPem: string; privateJwk: JWK };
  /** What `/jwks` says: the pair that signs now, and those that were rolled over. */
  published(): { keys: JWK[] };
  /** For verifying what was signed by a published key. */
  lookup: JWTVerifyGetKey;
  sign(claims: JWTPayload, typ?: string): Promise<string>;
  signOffline(claims: object): string;
  /** Names the secret that signs offline tokens now. */
  offlineKeyId(): string;
  /** A new pair signs from now on; the old one stays published. */
  roll(): Promise<void>;
  /** All keys are new, as after a realm was imported again. */
  replace(): Promise<void>;
}

interface KeyRow {
  pairs: { id: string; publicPem: string; publicJwk: JWK; privateJwk: JWK }[];
  offline: { id: string; secret: string };
}

export async function openKeys(tables: Tables): Promise<Keys> {
  const kept = tables.open<KeyRow>('keys');
  const fresh = async (): Promise<KeyRow> => ({ pairs: [await newPair()], offline: newSecret() });
  let row = kept.get('realm') ?? (await fresh());
  let privateKey = await importJWK(row.pairs[0]?.privateJwk ?? {}, 'RS256');
  let published = createLocalJWKSet({ keys: row.pairs.map(({ publicJwk }) => publicJwk) });
  const turn = async (next: KeyRow) => {
    row = next;
    privateKey = await importJWK(row.pairs[0]?.privateJwk ?? {}, 'RS256');
    published = createLocalJWKSet({ keys: row.pairs.map(({ publicJwk }) => publicJwk) });
    kept.put('realm', row);
  };
  kept.put('realm', row);
  const signing = () => {
    const [pair] = row.pairs;
    if (!pair) throw new Error('The realm has no key.');
    return pair;
  };
  return {
    signing,
    published: () => ({ keys: row.pairs.map(({ publicJwk }) => publicJwk) }),
    lookup: (header, token) => published(header, token),
    sign: (claims, typ = 'JWT') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: signing().id, typ }).sign(privateKey),
    signOffline: (claims) => {
      const header = { alg: 'HS512', typ: 'JWT', kid: row.offline.id };
      const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${text}.${createHmac('sha512', row.offline.secret).update(text).digest('base64url')}`;
    },
    offlineKeyId: () => row.offline.id,
    roll: async () => turn({ ...row, pairs: [await newPair(), ...row.pairs] }),
    replace: async () => turn(await fresh()),
  };
}

function newSecret() {
  return { id: randomBytes(9).toString('base64url'), secret: randomBytes(64).toString('base64url') };
}

async function newPair() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const id = await calculateJwkThumbprint(await exportJWK(publicKey));
  const marks = { kid: id, alg: 'RS256', use: 'sig' };
  return {
    id,
    publicPem: await exportSPKI(publicKey),
    publicJwk: { ...(await exportJWK(publicKey)), ...marks },
    privateJwk: { ...(await exportJWK(privateKey)), ...marks },
  };
}
