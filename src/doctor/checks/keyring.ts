import { durationWords } from '../../count-words.ts';
import { readCanaries } from '../../database/state/canaries.ts';
import { dayMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import { type KeyUse, listKeys } from '../../flows/keys/retire-key.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { unseal } from '../../vault/seal.ts';
import { openSpoolBelow } from '../../vault/spool.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';

const name = 'keyring';
/** A key that has sealed for this long is due to be rolled; an operator's own policy takes precedence. */
const oldMs = 2 * 365 * dayMs;

/** Whether the keyring opens what this database was sealed with. */
export const keyring: Check = {
  name,
  run: async ({ clock, keyring: parsed, option, records, setting }) => {
    const kept = option('keyring') !== undefined;
    const database = await records().catch(() => undefined);
    const keys = kept ? parsed() : undefined;
    if (database === undefined) return kept ? untriedKeyring() : noKeyringYet();
    const canaries = await readCanaries(database);
    if (keys === undefined) return canaries.length > 0 ? lostKeyring() : noKeyringYet();
    const broken = canaries.filter((canary) => !opens(keys, canary)).map(({ keyId }) => keyId);
    const spool = openSpoolBelow(setting('dataDir'));
    const uses = await listKeys({ database, keyring: keys, spool });
    return checkKeyring({ broken, uses, fresh: canaries.length === 0 }, clock.now());
  },
};

function opens(keys: Keyring, { keyId, sealed }: { keyId: string; sealed: Uint8Array }): boolean {
  try {
    return unseal(keys, purposes.canary(keyId), sealed).length > 0;
  } catch (error) {
    if (isAppError(error)) return false;
    throw error;
  }
}

interface KeyringFacts {
  /** Keys whose canary does not open: missing from the keyring, or another one. */
  broken: readonly string[];
  uses: readonly KeyUse[];
  /** The database has no canary yet: nobody has started here. */
  fresh: boolean;
}

/** Whether the keyring has every key that the database is sealed under, and the same one under its name. */
export function checkKeyring({ broken, uses, fresh }: KeyringFacts, at: Date): Finding {
  const missing = [...new Set([...broken, ...uses.filter(({ state }) => state === 'missing').map(({ id }) => id)])];
  if (missing.length > 0)
    return wrong(
      name,
      `The keyring is not the one this database was sealed with: ${missing.join(', ')} is missing or has changed.`,
      'Put the right KEYRING back: what is sealed under that key cannot be opened otherwise.',
    );
  if (fresh) return ok(name, 'It can be read; nothing is sealed with it yet.');
  const sealing = uses.find(({ state }) => state === 'sealing');
  const ageMs = sealing?.since === undefined ? 0 : at.getTime() - sealing.since.getTime();
  const words = uses.map(wordsOf).join(', ');
  if (ageMs > oldMs)
    return warn(
      name,
      `Every key opens, and ${sealing?.id} seals for ${durationWords(ageMs)} now (${words}).`,
      'Put a new key in front and run: nightkeep keys rotate',
    );
  return ok(name, `Every key opens what it sealed: ${words}.`);
}

/** What can be said of it without the database. */
function untriedKeyring(): Finding {
  return unknown(name, 'It can be read; what it opens cannot be seen without the database.');
}

function noKeyringYet(): Finding {
  return unknown(name, 'There is none yet: the first start creates one in DATA_DIR. Then keep a copy of it.');
}

/** A keyring that is to be made, beside a database that was sealed with another. */
function lostKeyring(): Finding {
  return wrong(
    name,
    'There is no keyring, but this database was sealed with one.',
    'Put the right KEYRING back, or the keyring file of DATA_DIR. Do not start before that: a new one opens nothing.',
  );
}

function wordsOf({ id, state, sealed }: KeyUse): string {
  const count = Object.values(sealed).reduce((sum, one) => sum + one, 0);
  return `${id} ${state === 'sealing' ? 'seals' : state} (${count} sealed)`;
}
