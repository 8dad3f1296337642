import type { Resources } from '../../resources.ts';

/** What it takes to exchange a token. */
export type Needs = Pick<
  Resources,
  | 'config'
  | 'clock'
  | 'log'
  | 'database'
  | 'issuer'
  | 'keyring'
  | 'marks'
  | 'meters'
  | 'holder'
  | 'spool'
  | 'store'
  | 'tokenCache'
>;
