import { createHmac, createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import type { Tables } from './tables.ts';

/** The realm's keys, as on Keycloak: a key pair for what others verify, and a secret for offline tokens. */
export interface Keys {
  /** The pair that signs now. */
  signing(): { id: string; publicPem: string; privateJwk: JWK };
  /** The public keys at `/jwks`: of the pair that signs now and of those before it. */
  published(): { keys: JWK[] };
  /** For verifying signatures of the published keys. */
  lookup: JWTVerifyGetKey;
  /** Signs a JWT with RS256. */
  sign(claims: object, typ?: string): Promise<string>;
  /** Signs a JWT with HS512. */
  signOffline(claims: object): string;
  /** Signs cookies. */
  cookieKey(): string;
  /** The id of the secret that signs offline tokens now. */
  offlineKeyId(): string;
  /** Signs with a new pair from now on; the old one stays published. */
  roll(): Promise<void>;
  /** Replaces all keys, as a new import of the realm does. */
  replace(): Promise<void>;
}

interface Pair {
  id: string;
  publicPem: string;
  publicJwk: JWK;
  privateJwk: JWK;
}

interface KeyRow {
  /** The first signs. */
  pairs: [Pair, ...Pair[]];
  /** How many there were so far. */
  count: number;
  offline: { id: string; secret: string };
  cookies: string;
}

export async function openKeys(tables: Tables): Promise<Keys> {
  const kept = tables.open<KeyRow>('keys');
  let row = kept.get('realm') ?? (await freshRow());
  let inUse = prepare(row);
  const turn = (next: KeyRow) => {
    row = next;
    inUse = prepare(row);
    kept.put('realm', row);
  };
  turn(row);
  return {
    signing: () => row.pairs[0],
    published: () => ({ keys: row.pairs.map(({ publicJwk }) => publicJwk) }),
    lookup: (header, token) => inUse.published(header, token),
    sign: async (claims, typ = 'JWT') => {
      const text = encode({ alg: 'RS256', typ, kid: row.pairs[0].id }, claims);
      return `${text}.${(await signRsa(text, inUse.privateKey)).toString('base64url')}`;
    },
    signOffline: (claims) => {
      const text = encode({ alg: 'HS512', typ: 'JWT', kid: row.offline.id }, claims);
      return `${text}.${createHmac('sha512', row.offline.secret).update(text).digest('base64url')}`;
    },
    cookieKey: () => row.cookies,
    offlineKeyId: () => row.offline.id,
    roll: async () => turn({ ...row, pairs: [await pairNumber(row.count), ...row.pairs], count: row.count + 1 }),
    replace: async () => turn(await freshRow(row.count)),
  };
}

function prepare({ pairs }: KeyRow) {
  return {
    privateKey: createPrivateKey({ key: pairs[0].privateJwk, format: 'jwk' }),
    published: createLocalJWKSet({ keys: pairs.map(({ publicJwk }) => publicJwk) }),
  };
}

const encode = (...parts: object[]) =>
  parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

const inThread = promisify((text: Buffer, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) =>
  sign('RSA-SHA256', text, key, done),
);
/** Signs in another thread, without the copy of the key that Web Crypto makes each time: twice as fast as jose. */
const signRsa = (text: string, key: KeyObject) => inThread(Buffer.from(text), key);

async function freshRow(count = 0): Promise<KeyRow> {
  const random = (bytes: number) => randomBytes(bytes).toString('base64url');
  return {
    pairs: [await pairNumber(count)],
    count: count + 1,
    offline: { id: random(9), secret: random(64) },
    cookies: random(32),
  };
}

const made: Promise<Pair>[] = [];

/** Making a pair takes a tenth of a second, so all realms of a process share the same sequence of pairs. */
function pairNumber(number: number): Promise<Pair> {
  made[number] ??= newPair();
  return made[number];
}

async function newPair(): Promise<Pair> {
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
