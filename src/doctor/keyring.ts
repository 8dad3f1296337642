import type { KeyUse } from '../flows/keys/retire-key.ts';
import { type Finding, ok, unknown, warn, wrong } from './finding.ts';
import { durationWords } from './words.ts';

const name = 'keyring';
/** A key that seals for so long is due to be rolled; what an operator's policy says goes before. */
const oldMs = 2 * 365 * 86_400_000;

export interface KeyringFacts {
  /** Keys whose canary does not open: missing from the keyring, or another one. */
  broken: readonly string[];
  uses: readonly KeyUse[];
  /** The database has no canary yet: nobody has started here. */
  fresh: boolean;
}

export function judgeKeyring({ broken, uses, fresh }: KeyringFacts, at: Date): Finding {
  const missing = [...new Set([...broken, ...uses.filter(({ state }) => state === 'missing').map(({ id }) => id)])];
  if (missing.length > 0)
    return wrong(
      name,
      `The keyring is not the one this database was sealed with: ${missing.join(', ')} is missing or another key.`,
      'Put the right KEYRING back: what is sealed under that key opens with nothing else.',
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
export function judgeKeyringAlone(kept: boolean): Finding {
  if (kept) return unknown(name, 'It can be read; what it opens shows only with the database.');
  return unknown(name, 'There is none yet: the first start makes one in DATA_DIR. Keep a copy of it then.');
}

/** A keyring that is to be made, beside a database that was sealed with another. */
export function judgeLostKeyring(): Finding {
  return wrong(
    name,
    'There is no keyring, but this database was sealed with one.',
    'Put the right KEYRING back, or the keyring file of DATA_DIR. Do not start before: a new one opens nothing.',
  );
}

function wordsOf({ id, state, sealed }: KeyUse): string {
  const count = Object.values(sealed).reduce((sum, one) => sum + one, 0);
  return `${id} ${state === 'sealing' ? 'seals' : state} (${count} sealed)`;
}
