import { expect, test } from 'vitest';
import { checkProviderWindows } from '../../../src/doctor/checks/provider-windows.ts';
import { type ProfileName, profiles } from '../../../src/domain/providers/profiles.ts';

const hour = 3_600;
const day = 24 * hour;
const facts = { idleSeconds: null, maxSeconds: null, offlineIdleMs: 30 * day * 1000, offlineMaxMs: undefined };

const table: [ProfileName, Partial<typeof facts> | object, RegExp][] = [
  ['keycloak', {}, /^ok: Keycloak: nights keep consents alive\./],
  ['generic', {}, /^ok: A provider of no known make: nights keep consents alive\./],
  ['authelia', {}, /^warn: Tokens live only 90m without use.*every (22|23)m.*custom lifespan.*OIDC_PROFILE=generic/],
  ['generic', { idleSeconds: 3 * hour }, /^warn: Tokens live only 3h without use.*every 45m/],
  ['generic', { offlineIdleMs: 12 * hour * 1000 }, /^warn: Tokens live only 12h without use/],
  ['entra', { idleSeconds: day - 1 }, /^warn: Consents end after 1d.*single-page.*under Web/],
  ['entra', { idleSeconds: 90 * day }, /^ok: Microsoft Entra ID/],
  ['google', { maxSeconds: 7 * day - 60 }, /^warn: Consents end after 7d.*in testing.*publish the app/],
  ['google', {}, /^ok: Google/],
  ['okta-org', {}, /^ok: Okta.*again within 90d \(fixed/],
  ['zitadel', { offlineMaxMs: 200 * day * 1000 }, /^ok: Zitadel.*again within 200d\.$/],
  ['oidc-provider', {}, /^ok: .*within 14d \(ttl\.Grant/],
];

test.each(table)('%s with %j', (name, more, words) => {
  const { state, finding, cure = '' } = checkProviderWindows(profiles[name], { ...facts, ...more });
  expect(`${state}: ${finding} ${cure}`.trim()).toMatch(words);
});
