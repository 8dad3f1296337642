/**
 * ok: as it should be. warn: works, and should be looked at. wrong: something does not work until it is fixed.
 * unknown: it could not be checked, or cannot be seen from here.
 */
export type State = 'ok' | 'warn' | 'wrong' | 'unknown';

/** What one look found. */
export interface Finding {
  /** What was looked at. */
  name: string;
  state: State;
  /** In plain words. */
  finding: string;
  cure?: string;
}

/** All is as it should be. */
export const ok = (name: string, finding: string): Finding => ({ name, state: 'ok', finding });

/** It works, and should be looked at: `cure` says what to do then. */
export const warn = (name: string, finding: string, cure: string): Finding => ({ name, state: 'warn', finding, cure });

/** Something does not work until `cure` is done. */
export const wrong = (name: string, finding: string, cure: string): Finding => ({
  name,
  state: 'wrong',
  finding,
  cure,
});

/** It could not be checked, or cannot be seen from here. */
export const unknown = (name: string, finding: string): Finding => ({ name, state: 'unknown', finding });
