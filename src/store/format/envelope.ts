import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
  randomFillSync,
} from 'node:crypto';
import sodium from 'sodium-native';
import { AppError } from '../../errors.ts';
import { release } from '../../release.ts';

/** The keys that encrypt and authenticate everything in a repository; plain bytes, may be sent to a worker thread. */
export interface MasterKey {
  /** AES-256, 32 bytes. */
  readonly encrypt: Uint8Array;
  /** Poly1305-AES, 16 bytes each. */
  readonly mac: { readonly k: Uint8Array; readonly r: Uint8Array };
}

const ivLength = 16;
const tagLength = 16;

/** How many bytes longer an envelope is than its content. */
export const envelopeOverhead = ivLength + tagLength;

/** A new master key from the system's random source. */
export function createMasterKey(): MasterKey {
  return { encrypt: randomBytes(32), mac: { k: randomBytes(16), r: randomBytes(16) } };
}

/**
 * The envelope of the plaintext: IV, AES-256-CTR ciphertext, Poly1305-AES tag of the ciphertext. The IV is fresh unless given.
 * It is written into `buffer` where that is large enough, and then valid until the buffer is used again.
 */
export function encrypt(key: MasterKey, plaintext: Uint8Array, iv: Uint8Array = freshIv(), buffer?: Buffer): Buffer {
  const length = plaintext.length + envelopeOverhead;
  const envelope = buffer && buffer.length >= length ? buffer.subarray(0, length) : Buffer.allocUnsafe(length);
  envelope.set(iv);
  const cipher = createCipheriv('aes-256-ctr', prepared(key).encrypt, iv);
  for (const [at, slice] of slices(plaintext)) {
    const sealed = cipher.update(slice);
    envelope.set(sealed, ivLength + at);
    release(sealed);
  }
  const end = ivLength + plaintext.length;
  sodium.crypto_onetimeauth(envelope.subarray(end), envelope.subarray(ivLength, end), oneTimeKey(key, iv));
  return envelope;
}

/**
 * The content of an envelope. It is written into `buffer` where that is large enough, and then valid until the buffer is used again.
 * Throws `repository/damaged` when it is too short or its tag is not ours.
 */
export function decrypt(key: MasterKey, envelope: Uint8Array, buffer?: Buffer): Buffer {
  const length = Math.max(0, envelope.length - envelopeOverhead);
  const content = buffer && buffer.length >= length ? buffer.subarray(0, length) : Buffer.allocUnsafe(length);
  let at = 0;
  for (const slice of decryptSlices(key, envelope)) at += slice.copy(content, at);
  return content;
}

/** The content in slices, each valid until the next one is taken. Throws as `decrypt` does, before the first slice. */
export function* decryptSlices(key: MasterKey, envelope: Uint8Array): Generator<Buffer> {
  if (envelope.length < envelopeOverhead) throw damaged('shorter than its own overhead');
  const iv = envelope.subarray(0, ivLength);
  if (iv.every((byte) => byte === 0)) throw damaged('without an IV');
  const end = envelope.length - tagLength;
  const ciphertext = asBuffer(envelope.subarray(ivLength, end));
  if (!sodium.crypto_onetimeauth_verify(asBuffer(envelope.subarray(end)), ciphertext, oneTimeKey(key, iv))) {
    throw damaged('altered, or sealed with another key');
  }
  const decipher = createDecipheriv('aes-256-ctr', prepared(key).encrypt, iv);
  for (const [, slice] of slices(ciphertext)) {
    const content = decipher.update(slice);
    yield content;
    release(content);
  }
}

/**
 * node:crypto allocates the result of each update twice. Two of this size come from the heap and return to it, where two of 64 KiB reach
 * the size from which on the heap gives its end back to the system each time, and whole chunks would each be mapped, cleared and unmapped.
 */
const sliceLength = 32 * 1024;

function* slices(bytes: Uint8Array): Generator<[at: number, slice: Uint8Array]> {
  for (let at = 0; at < bytes.length; at += sliceLength) yield [at, bytes.subarray(at, at + sliceLength)];
}

const randomPool = Buffer.alloc(256 * ivLength);
let randomLeft = 0;

/** Each request for random bytes costs a system call, so the bytes of many IVs are drawn at once; each is used once. */
function freshIv(): Uint8Array {
  if (randomLeft === 0) randomLeft = randomFillSync(randomPool).length;
  randomLeft -= ivLength;
  return randomPool.subarray(randomLeft, randomLeft + ivLength);
}

/** r || AES-128(k, IV): the Poly1305 key of one message. */
function oneTimeKey(key: MasterKey, iv: Uint8Array): Buffer {
  return Buffer.concat([key.mac.r, prepared(key).block.update(iv)]);
}

/** The raw keys as node:crypto objects. Making them anew for each message would cost more than sealing a small one. */
interface PreparedKey {
  readonly encrypt: KeyObject;
  /** Encrypts single blocks, any number of them: ECB carries nothing from one to the next. */
  readonly block: Cipheriv;
}

const preparedKeys = new WeakMap<MasterKey, PreparedKey>();

function prepared(key: MasterKey): PreparedKey {
  const known = preparedKeys.get(key);
  if (known !== undefined) return known;
  const block = createCipheriv('aes-128-ecb', key.mac.k, null).setAutoPadding(false);
  const made = { encrypt: createSecretKey(key.encrypt), block };
  preparedKeys.set(key, made);
  return made;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(what: string): AppError {
  return new AppError('repository/damaged', `Something sealed in the repository is ${what}.`);
}
