import { type Consented, type ConsentRows, saveConsent } from '../../database/consents.ts';
import { isValidZone } from '../../domain/nights.ts';
import { AppError } from '../../errors.ts';
import type { Authorized } from '../../oidc/authorization.ts';
import type { Resources } from '../../resources.ts';
import { boundKeyToKeep } from '../custody/bound-key.ts';
import { deadlinesOfConsent, readyToKeep } from '../custody/offline-token.ts';
import { personOf } from './person.ts';

export type KeepNeeds = Pick<Resources, 'issuer' | 'config' | 'database' | 'clock' | 'keyring' | 'holder'>;

/** What a person agreed to, in which way. */
export interface Agreement {
  method: Consented['method'];
  terms: Record<string, unknown>;
  agreedAt: Date;
  /** The night of a new plan's first run and its moment, for the zone the person lives in. */
  firstNight: (plan: { planId: string; zone: string; windowStart: string; windowEnd: string }) => {
    night: string;
    dueAt: Date;
  };
}

/**
 * Takes the offline token of a consent into custody: sealed and saved with all that belongs to it in one transaction.
 * Throws `consent/not-offline` with the likely cause and who can mend it.
 */
export async function keepConsent(
  resources: KeepNeeds,
  authorized: Authorized,
  { method, terms, agreedAt, firstNight }: Agreement,
): Promise<ConsentRows> {
  const { issuer, config, database, clock, keyring, holder } = resources;
  const refreshToken = requireOffline(authorized, method);
  const at = clock.now();
  return saveConsent(database, {
    user: personOf(authorized, at),
    grant: {
      clientId: issuer.clientId,
      sid: authorized.sid,
      scope: authorized.scope,
      ...deadlinesOfConsent(config, authorized, at),
    },
    token: (owner) => readyToKeep(keyring, owner, { ...authorized, refreshToken }),
    boundKey: (owner) => boundKeyToKeep(keyring, owner, authorized.boundKey),
    terms: { text: terms, agreedAt },
    method,
    plan: ({ planId }) => planFrom(config, authorized, planId, firstNight),
    holder,
    at,
  });
}

function planFrom(
  { filesUrl, window, retention }: Resources['config'],
  { claims }: Authorized,
  planId: string,
  firstNight: Agreement['firstNight'],
) {
  const zone = isKnownZone(claims.zoneinfo) ? claims.zoneinfo : window.zone;
  const hours = { windowStart: window.start, windowEnd: window.end };
  const { night, dueAt } = firstNight({ planId, zone, ...hours });
  const sources = [{ kind: 'webdav', name: 'files', url: filesUrl }];
  return { sources, zone, ...hours, retention, nextNight: night, nextDueAt: dueAt };
}

function isKnownZone(zone: unknown): zone is string {
  return typeof zone === 'string' && isValidZone(zone);
}

/** The scope echo says it where the token is opaque; Keycloak's own word for the token prevails where it can be read. */
function requireOffline({ refreshToken, scope, tokenType }: Authorized, method: Consented['method']): string {
  const granted = tokenType === undefined ? scope.split(' ').includes('offline_access') : tokenType === 'Offline';
  if (refreshToken !== undefined && granted) return refreshToken;
  throw new AppError('consent/not-offline', notOffline[method], {
    detail: { scope, tokenType, refreshed: refreshToken !== undefined },
  });
}

const forPeople =
  'The provider let you in, but gave no offline token. Either your account lacks the role for offline access, or the client of Nightkeep lacks the scope offline_access. An administrator of the provider can add what is missing; then start again.';
const notOffline: Record<Consented['method'], string> = {
  browser: forPeople,
  device: forPeople,
  password: forPeople,
  service:
    'The provider let the client in, but gave no offline token. In Keycloak switch on "Use refresh tokens for client credentials grant" of the client (Advanced), give its service account the role offline_access, and add offline_access to its optional client scopes.',
};
