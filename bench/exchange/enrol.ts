import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/client.ts';
import { saveConsent } from '../../src/database/consents.ts';
import { readyToKeep } from '../../src/flows/custody/offline-token.ts';
import { silentLog } from '../../src/log.ts';
import type { Authorized } from '../../src/oidc/authorization.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import type { ProviderProcess } from './provider-process.ts';

const day = 86_400_000;

/** Half of the people consent to Nightkeep, whose grants are answered; the tokens of the other half are for bare clients. */
export async function enrol(provider: ProviderProcess, database: Database) {
  const keyring = `bench:${randomBytes(32).toString('base64url')}`;
  const issuer = openIssuer({
    provider: {
      issuer: new URL(provider.issuer),
      clientId: provider.clientId,
      authentication: 'client_secret_basic',
      secrets: [provider.secret],
    },
    publicUrl: new URL(provider.redirectUri),
    clock: systemClock(),
    log: silentLog,
  });
  const tokens: Authorized[] = [];
  for (const who of provider.people) tokens.push(await issuer.enroll.password(who, 'openid offline_access'));
  const half = tokens.length / 2;
  const grants: string[] = [];
  for (const authorized of tokens.slice(0, half)) grants.push(await keep(database, keyring, provider, authorized));
  return { keyring, grants, bare: tokens.slice(half).map(({ refreshToken }) => ({ token: refreshToken ?? '' })) };
}

async function keep(
  database: Database,
  keyring: string,
  provider: ProviderProcess,
  authorized: Authorized,
): Promise<string> {
  const at = new Date();
  const refreshToken = authorized.refreshToken ?? '';
  const { grant } = await saveConsent(database, {
    user: { issuer: authorized.issuer, subject: authorized.subject, claims: {}, at },
    grant: {
      clientId: provider.clientId,
      sid: authorized.sid,
      scope: authorized.scope,
      idleDeadline: new Date(at.getTime() + 30 * day),
      maxDeadline: null,
      idleSeconds: null,
      nextExchangeAt: new Date(at.getTime() + 7 * day),
    },
    token: (owner) => readyToKeep(parseKeyring(keyring), owner, { ...authorized, refreshToken }),
    method: 'service',
    terms: { text: {}, agreedAt: at },
    plan: () => ({
      sources: [],
      zone: 'UTC',
      windowStart: '01:00',
      windowEnd: '05:00',
      retention: {},
      nextNight: '2100-01-01',
      nextDueAt: new Date('2100-01-01T01:00:00Z'),
    }),
    holder: 'bench',
    at,
  });
  return grant.id;
}
