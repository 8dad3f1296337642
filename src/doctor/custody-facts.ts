import { inspectWindows, listLatestTokens } from '../database/custody/inspect-custody.ts';
import { dayMs, minuteMs } from '../durations.ts';
import { isAppError } from '../errors.ts';
import { openToken } from '../flows/custody/offline-token.ts';
import { decodeClaims } from '../oidc/token-answer.ts';
import type { Installation, TokenFacts } from './installation.ts';
import { once } from './once.ts';

type Needs = Pick<Installation, 'clock' | 'keyring' | 'records' | 'setting'>;

const latestTokens = 20;
/** Ends that are written in whole seconds, and issued a moment after the consent, may differ by this much. */
export const sameEndMs = minuteMs;
/** How far back past exchanges are looked at. */
export const backMs = 30 * dayMs;

/** Opens and reads the latest tokens here, sending them nowhere, and asks what is on record of how long tokens lived. */
export function custodyFacts({ clock, keyring, records, setting }: Needs): Pick<Installation, 'tokens' | 'windows'> {
  const tokens = once(async () => {
    const [database, keys] = [await records(), keyring()];
    const rows = await listLatestTokens(database, latestTokens);
    const claims = rows.flatMap((row) => {
      try {
        return [decodeClaims(openToken(keys, row, row))];
      } catch (error) {
        if (isAppError(error)) return [];
        throw error;
      }
    });
    return readTokenFacts(setting('issuer'), claims, rows.length - claims.length);
  });
  const windows = once(async () => {
    const since = new Date(clock.now().getTime() - 2 * Math.max(setting('offlineIdleMs'), backMs));
    return inspectWindows(await records(), { since });
  });
  return { tokens, windows };
}

/** `claims`: of each token that was opened; undefined where only the provider can read it. */
export function readTokenFacts(
  issuer: URL,
  claims: readonly (Record<string, unknown> | undefined)[],
  shut: number,
): TokenFacts {
  const readable = claims.filter((one) => one !== undefined);
  const issuers = readable.map(({ iss }) => iss).filter((iss) => typeof iss === 'string');
  return {
    shut,
    opened: claims.length,
    readable: readable.length,
    offline: readable.filter(({ typ }) => typ === 'Offline').length,
    ending: readable.filter(({ exp }) => typeof exp === 'number').length,
    counted: readable.filter(({ reuse_id: chain }) => chain !== undefined).length,
    strangeIssuers: [...new Set(issuers)].filter((iss) => URL.parse(iss)?.href !== issuer.href),
  };
}
