import { randomBytes } from 'node:crypto';
import { AppError, isAppError } from '../../errors.ts';
import { decrypt, encrypt, type MasterKey } from './envelope.ts';
import { goJson } from './go-json.ts';
import { asText, type JsonObject, parseJsonObject } from './json-shape.ts';
import { degreeOf, isIrreducible, type Polynomial, randomPolynomial } from './polynomial.ts';

/** The settings of a repository. */
export interface Config {
  readonly version: 2;
  /** 64 hex digits; tells repositories apart. */
  readonly id: string;
  readonly polynomial: Polynomial;
}

/** The config of a new repository. */
export function createConfig(polynomial: Polynomial = randomPolynomial()): Config {
  return { version: 2, id: randomBytes(32).toString('hex'), polynomial };
}

/** The bytes of the file `config`: sealed, but never compressed. */
export function sealConfig(key: MasterKey, config: Config): Buffer {
  const { version, id, polynomial } = config;
  return encrypt(key, Buffer.from(goJson({ version, id, chunker_polynomial: polynomial.toString(16) })));
}

/** The config in these bytes. Throws `repository/damaged`, also for a version that is not 2. */
export function openConfig(key: MasterKey, bytes: Uint8Array): Config {
  const json = openJson(key, bytes);
  if (json.version !== 2) {
    throw new AppError(
      'repository/damaged',
      `This repository has format version ${json.version}; only version 2 is read. \`restic migrate upgrade_repo_v2\` upgrades version 1.`,
    );
  }
  return { version: 2, id: asText(json.id, 'config'), polynomial: parsePolynomial(json.chunker_polynomial) };
}

/** The key that does not fit was opened by the password, so it is the file that is wrong. */
function openJson(key: MasterKey, bytes: Uint8Array): JsonObject {
  try {
    return parseJsonObject(decrypt(key, bytes), 'config');
  } catch (cause) {
    if (!isAppError(cause, 'repository/damaged')) throw cause;
    const message = 'The file config of the repository is damaged: bring it back from a copy of the store.';
    throw new AppError('repository/damaged', message, { cause, detail: { files: ['config'] } });
  }
}

function parsePolynomial(value: unknown): Polynomial {
  const text = asText(value, 'config');
  const polynomial = /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : 0n;
  if (degreeOf(polynomial) > 53 || !isIrreducible(polynomial)) {
    throw new AppError('repository/damaged', 'The chunker polynomial of the repository is not irreducible.');
  }
  return polynomial;
}
