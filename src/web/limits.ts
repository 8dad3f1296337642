import { createHash } from 'node:crypto';
import { useRate } from '../database/people/rate-limits.ts';
import { AppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { askingOf, clientAddress, networkOf } from './client-address.ts';
import type { Visit } from './visit.ts';

/** What is limited, and the setting that says how much. What has a name of its own is counted by itself. */
const limits = {
  'sign-in': 'signIns',
  answer: 'signIns',
  consent: 'signIns',
  recovery: 'recovery',
  adoption: 'recovery',
  download: 'downloads',
  backup: 'runs',
  restore: 'runs',
} as const satisfies Record<string, keyof Resources['config']['rates']>;

export type Limit = keyof typeof limits;

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'log'>;
type Asked = Pick<Visit, 'c' | 'session'>;

/** Counts one; throws `request/too-many`. */
export type Limits = (limit: Limit, visit: Asked) => Promise<void>;

/**
 * Counts what is limited, for the account of who is signed in, or else for the address that asks; all processes count together.
 * Throws `request/too-many`, which says when it may be done again.
 */
export function openLimits({ clock, config, database, log }: Needs): Limits {
  let told = false;
  const addressOf = ({ c }: Asked) => {
    const asking = askingOf(c);
    const { address, isForwarded } = clientAddress(asking, config.proxies);
    if (!told && asking.forwardedFor !== undefined && !isForwarded) {
      told = true;
      const cure = 'If this is your proxy, name it in PROXIES: until then all who come through it are counted as one.';
      log.warn('web.unknown-proxy', { address, cure });
    }
    return networkOf(address);
  };
  return async (limit, visit) => {
    const rate = config.rates[limits[limit]];
    if (rate === undefined) return;
    const who = visit.session === undefined ? `address ${addressOf(visit)}` : `account ${visit.session.userId}`;
    const key = createHash('sha256').update(`${limit} ${who}`).digest('base64url');
    const afterMs = await useRate(database, { key, rate, at: clock.now() });
    if (afterMs > 0)
      throw new AppError('request/too-many', tooOften(afterMs), { retry: { afterMs }, detail: { limit } });
  };
}

function tooOften(afterMs: number): string {
  return `This was requested too often. It may be requested again in ${Math.ceil(afterMs / 1000)} s.`;
}
