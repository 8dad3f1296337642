import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/client.ts';
import { openMarkMemory } from '../../src/domain/marks.ts';
import { keepConsent } from '../../src/flows/consent/keep-consent.ts';
import { silentLog } from '../../src/log.ts';
import type { Authorized } from '../../src/oidc/authorization.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import { openMemoryBackend } from '../../test/support/fixtures/memory-backend.ts';
import type { ProviderProcess } from './provider-process.ts';
import { configOf } from './settings.ts';

/** Gets an offline token for everybody. Half of the tokens become grants of Nightkeep, the other half is for the bare client. */
export async function makeGrants(provider: ProviderProcess, database: Database) {
  const keyring = `bench:${randomBytes(32).toString('base64url')}`;
  const clock = systemClock();
  const config = configOf(provider, keyring);
  const { provider: client, publicUrl } = config;
  const issuer = openIssuer({ provider: client, publicUrl, clock, log: silentLog });
  const resources = {
    issuer,
    config,
    database,
    clock,
    keyring: parseKeyring(keyring),
    holder: 'bench',
    log: silentLog,
    marks: openMarkMemory(),
    store: () => openMemoryBackend(),
  };
  const people: Authorized[] = [];
  for (const who of provider.people) people.push(await issuer.enroll.password(who, 'openid offline_access'));
  const half = people.length / 2;
  const grants: string[] = [];
  for (const person of people.slice(0, half)) {
    const agreed = { method: 'password' as const, terms: {}, agreedAt: clock.now() };
    grants.push((await keepConsent(resources, { authorized: person, ...agreed })).grant.id);
  }
  return { keyring, grants, bare: people.slice(half).map(({ tokens }) => ({ token: tokens.refreshToken ?? '' })) };
}
