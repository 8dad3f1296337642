import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Keyring } from './keyring.ts';

/** What a sealed value is for, and whose it is: it opens for nothing and nobody else. */
export interface Binding {
  purpose: string;
  owner: string;
}

export interface Sealed {
  sealed: Uint8Array<ArrayBuffer>;
  keyId: string;
}

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/** Seals with AES-256-GCM under the newest key: version, length of the key id, key id, IV, tag, ciphertext. */
export function seal(keyring: Keyring, binding: Binding, plaintext: string | Uint8Array): Sealed {
  const keyId = keyring.newest;
  const header = headerFor(keyId);
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', keyOf(keyring, keyId), iv);
  cipher.setAAD(additionalData(header, binding));
  const body = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final()]);
  return { sealed: new Uint8Array(Buffer.concat([header, iv, cipher.getAuthTag(), body])), keyId };
}

/** Opens a sealed value. Throws `seal/unknown-key`, or `seal/broken` if it was altered or belongs elsewhere. */
export function unseal(keyring: Keyring, binding: Binding, sealed: Uint8Array): Uint8Array {
  const { keyId, header, iv, tag, body } = parts(sealed);
  const key = keyOf(keyring, keyId);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
    decipher.setAAD(additionalData(header, binding));
    decipher.setAuthTag(tag);
    return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]));
  } catch (cause) {
    throw broken(cause);
  }
}

/** The id of the key that a sealed value needs, from its header alone. Throws `seal/broken`. */
export function keyIdOf(sealed: Uint8Array): string {
  return parts(sealed).keyId;
}

/** A keyed hash (HMAC-SHA-256): tells equal texts from others, and is worth nothing without the keyring. */
export function fingerprint(keyring: Keyring, text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHmac('sha256', keyring.fingerprintKey).update(text).digest());
}

function headerFor(keyId: string): Buffer {
  const id = Buffer.from(keyId);
  return Buffer.concat([Buffer.from([version, id.length]), id]);
}

/** Each part with its length before it, so that no two bindings read the same. */
function additionalData(header: Buffer, { purpose, owner }: Binding): Buffer {
  return Buffer.concat([header, ...[purpose, owner].flatMap(withLength)]);
}

function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

function parts(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const idEnd = 2 + (bytes[1] ?? 0);
  const tagStart = idEnd + ivBytes;
  const bodyStart = tagStart + tagBytes;
  if (bytes[0] !== version || bytes.length < bodyStart) throw broken();
  return {
    keyId: bytes.toString('utf8', 2, idEnd),
    header: bytes.subarray(0, idEnd),
    iv: bytes.subarray(idEnd, tagStart),
    tag: bytes.subarray(tagStart, bodyStart),
    body: bytes.subarray(bodyStart),
  };
}

function keyOf(keyring: Keyring, id: string) {
  const key = keyring.keys.get(id);
  if (key !== undefined) return key;
  throw new AppError(
    'seal/unknown-key',
    `A sealed value needs the key "${id}", which the keyring does not hold. Put that key back into the keyring.`,
  );
}

function broken(cause?: unknown): AppError {
  return new AppError(
    'seal/broken',
    'A sealed value does not open: it was altered, or belongs to something else. Restore the row from a backup.',
    { cause },
  );
}
