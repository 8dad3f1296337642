import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { AppError } from '../errors.ts';

/** The key-encryption keys by id. The newest seals; all of them unseal. */
export interface Keyring {
  readonly newest: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Keys the fingerprints. Derived from the oldest key until the database says which one it began with. */
  readonly fingerprintKey: KeyObject;
}

const idShape = /^[\w.-]{1,32}$/;
/** 32 bytes. */
const keyShape = /^[\w-]{43}=?$/;

/** Reads lines of `id:key` (32 bytes in base64url), the newest first. Throws `keyring/invalid`, never naming a key. */
export function parseKeyring(text: string): Keyring {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const keys = new Map<string, KeyObject>();
  for (const [index, line] of lines.entries()) {
    const { id, key } = parseLine(line, index + 1);
    if (keys.has(id)) throw invalid(`it names the key ${id} twice`);
    keys.set(id, createSecretKey(key));
  }
  const ids = [...keys.keys()];
  const [newest, oldest] = [ids[0], keys.get(ids.at(-1) ?? '')];
  if (newest === undefined || oldest === undefined) throw invalid('it is empty');
  return { newest, keys, fingerprintKey: deriveFingerprintKey(oldest) };
}

/** The same keys with the fingerprint key that the database keeps: it outlives every key that seals. */
export function withFingerprintKey(keyring: Keyring, key: Uint8Array): Keyring {
  return { ...keyring, fingerprintKey: createSecretKey(key) };
}

function parseLine(line: string, number: number): { id: string; key: Buffer } {
  const colon = line.indexOf(':');
  const id = line.slice(0, Math.max(colon, 0)).trim();
  const text = line.slice(colon + 1).trim();
  if (!idShape.test(id) || !keyShape.test(text)) throw invalid(`key ${number} is not written like id:key`);
  return { id, key: Buffer.from(text, 'base64url') };
}

function deriveFingerprintKey(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'nightkeep fingerprint', 32)));
}

function invalid(what: string): AppError {
  return new AppError(
    'keyring/invalid',
    `The keyring cannot be used: ${what}. Write one key a line as id:key, the key being 32 random bytes in base64url, the newest first.`,
  );
}
