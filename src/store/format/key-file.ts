import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError, isAppError } from '../../errors.ts';
import { decrypt, encrypt, type MasterKey } from './envelope.ts';
import { goJson } from './go-json.ts';
import { idOf, type KeyId } from './ids.ts';
import { asCount, asObject, asText, type JsonObject, malformed, optional, parseJsonObject } from './json-shape.ts';

/** The cost of trying a password. scrypt's r is always 8, since some readers refuse anything else. */
export interface Scrypt {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export interface ScryptCosts {
  /** For passwords that people keep: 32 MiB and about 100 ms for each try. */
  readonly forPeople: Scrypt;
  /** For 256 random bits, which cannot be guessed at any cost: each night opens such a key, and takes 1 MiB and some 2 ms for it. */
  readonly forRandomPasswords: Scrypt;
}

/** The costs of new key files; those that are there keep their own. */
export const scryptCosts: ScryptCosts = {
  forPeople: { N: 32768, r: 8, p: 1 },
  forRandomPasswords: { N: 1024, r: 8, p: 1 },
};

/**
 * What a try may cost, as much as the most that is known of other programs and several times more: 256 MiB of memory, and three seconds. Whoever
 * may write to a store needs no password to put a key file there that asks for more.
 */
const mostTimesR = 2 ** 21;
const mostWork = 2 ** 23;

/** The work of trying a password on a key file, as a multiple of one of those for people; at least 1, since it is read, too. */
export function costOf(bytes: Uint8Array): number {
  const { N, r, p } = parseScrypt(parseJsonObject(bytes, 'key file'));
  const { forPeople } = scryptCosts;
  return Math.max(1, (N * r * p) / (forPeople.N * forPeople.r * forPeople.p));
}

/** What can be read from a key file without its password. */
export interface KeyFileFacts {
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
}

export interface KeyFile {
  readonly id: KeyId;
  readonly bytes: Buffer;
}

const scryptInThread = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

/** A key file that opens the master key with the password. `created` is RFC 3339. */
export async function createKeyFile(
  masterKey: MasterKey,
  password: string,
  facts: KeyFileFacts,
  { N, r, p }: Scrypt = scryptCosts.forPeople,
): Promise<KeyFile> {
  const salt = randomBytes(64);
  const data = encrypt(await derive(password, salt, { N, r, p }), Buffer.from(goJson(masterKeyJson(masterKey))));
  const { created, username, hostname } = facts;
  const file = { created, username, hostname, kdf: 'scrypt', N, r, p, salt: base64(salt), data: base64(data) };
  const bytes = Buffer.from(goJson(file));
  return { id: idOf<KeyId>(bytes), bytes };
}

/** The master key, or undefined when the password is not this file's. Throws `repository/damaged`. */
export async function openKeyFile(bytes: Uint8Array, password: string): Promise<MasterKey | undefined> {
  const file = parseJsonObject(bytes, 'key file');
  const derived = await derive(password, fromBase64(file.salt), parseScrypt(file));
  const opened = tryDecrypt(derived, fromBase64(file.data));
  return opened === undefined ? undefined : parseMasterKey(parseJsonObject(opened, 'master key'));
}

/** What the key file tells without its password. Throws `repository/damaged`. */
export function readKeyFacts(bytes: Uint8Array): KeyFileFacts {
  const file = parseJsonObject(bytes, 'key file');
  const text = (name: string) => optional(file[name], asText, 'key file') ?? '';
  return { created: text('created'), username: text('username'), hostname: text('hostname') };
}

/** A tag that does not fit means another password: nothing else can be told from it. */
function tryDecrypt(derived: MasterKey, data: Buffer): Buffer | undefined {
  try {
    return decrypt(derived, data);
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  }
}

function parseScrypt(file: JsonObject): Scrypt {
  const [N, r, p] = ['N', 'r', 'p'].map((name) => asCount(file[name], 'key file')) as [number, number, number];
  if (
    file.kdf !== 'scrypt' ||
    !isPowerOfTwo(N) ||
    N < 2 ||
    r < 1 ||
    p < 1 ||
    N * r > mostTimesR ||
    N * r * p > mostWork
  ) {
    throw new AppError('repository/damaged', 'A key file asks for a password hash that is out of range.');
  }
  return { N, r, p };
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n));
}

async function derive(password: string, salt: Uint8Array, { N, r, p }: Scrypt): Promise<MasterKey> {
  if (salt.length !== 64) throw malformed('key file');
  const key = await scryptInThread(password, salt, 64, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 * 1024 });
  return { encrypt: key.subarray(0, 32), mac: { k: key.subarray(32, 48), r: key.subarray(48, 64) } };
}

function masterKeyJson({ encrypt: key, mac }: MasterKey): object {
  return { mac: { k: base64(mac.k), r: base64(mac.r) }, encrypt: base64(key) };
}

function parseMasterKey(json: JsonObject): MasterKey {
  const mac = asObject(json.mac, 'master key');
  const key = { encrypt: fromBase64(json.encrypt), mac: { k: fromBase64(mac.k), r: fromBase64(mac.r) } };
  const parts = [key.encrypt, key.mac.k, key.mac.r];
  const sound = parts.map((part) => part.length).join() === '32,16,16' && parts.every((part) => part.some(Boolean));
  if (!sound) throw malformed('master key');
  return key;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(value: unknown): Buffer {
  return Buffer.from(asText(value, 'key file'), 'base64');
}
