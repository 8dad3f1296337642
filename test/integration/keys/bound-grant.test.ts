import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { openBoundKey } from '../../../src/flows/custody/bound-key.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { rotateKeys } from '../../../src/flows/keys/rotate-keys.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { openProofCheck } from '../../support/fixtures/proof-check.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { enterWith, interrupting } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { type StrictProvider, startStrictProvider } from '../../support/servers/strict-provider.ts';

let fixture: CustodyFixture;
let provider: StrictProvider;
let enter: (settings?: Partial<Custody>) => Custody;
beforeEach(async () => {
  // The provider advises on what it would need in earnest.
  for (const level of ['info', 'warn'] as const) vi.spyOn(console, level).mockReturnValue();
  fixture = await openCustodyFixture();
  const { config, ...rest } = fixture.resources;
  provider = await startStrictProvider(new URL('/callback', config.publicUrl).href);
  const client = { issuer: new URL(provider.issuer), clientId: 'app', authentication: 'none' as const, secrets: [] };
  const settings = { ...config, provider: { ...client, extraScopes: [] }, filesUrl: 'https://cloud.example/{sub}/' };
  enter = (more = {}) => ({
    ...rest,
    config: settings,
    issuer: openIssuer({ provider: client, publicUrl: config.publicUrl, clock: rest.clock, log: silentLog }),
    ...more,
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await provider[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

async function consent(resources: Custody) {
  const { url, transaction } = await beginConsent(resources, { returnTo: '/', terms: {} });
  return finishConsent(resources, { callback: await provider.visit(url), transaction });
}
const access = (resources: Custody, grantId: string) => obtainAccess(resources, { grantId, minimumSeconds: 86_400 });
const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });
const keyOf = async (resources: Custody, id: string) => {
  const { userId, sealedDpopKey } = await grantOf(id);
  return openBoundKey(resources.keyring, { userId, grantId: id }, sealedDpopKey);
};
test('a public client’s grant lives on its key, night after night and in another process', async () => {
  const resources = enter();
  const { grant } = await consent(resources);
  expect(Buffer.from(grant.sealedDpopKey ?? []).includes('"d"')).toBe(false);
  for (let night = 0; night < 3; night += 1) await access(resources, grant.id);
  const { token, prove } = await access(enter({ holder: 'other' }), grant.id);
  const request = { method: 'GET', url: 'https://cloud.example/dav/a' };
  const proof = await prove?.({ ...request, nonce: 'n' });
  expect(await openProofCheck()(proof, { ...request, accessToken: token })).toMatchObject({ nonce: 'n' });
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 5 });
  const verdicts = await fixture.resources.database.exchange.findMany({ select: { verdict: true } });
  expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['ok']));
});

test('a token without its key is worth nothing', async () => {
  const resources = enter();
  const { grant } = await consent(resources);
  await fixture.resources.database.grant.update({ where: { id: grant.id }, data: { sealedDpopKey: null } });
  expect(await outcomeOf(access(resources, grant.id))).toBe('grant/not-usable');
});

test('a renewed consent has a new key, and the keys of two grants are never the same', async () => {
  const resources = enter();
  const { grant } = await consent(resources);
  const first = await keyOf(resources, grant.id);
  await consent(resources);
  expect(await keyOf(resources, grant.id)).not.toBe(first);
  await access(resources, grant.id);
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 3 });
});

test('a bound grant is withdrawn like any other, and its key destroyed', async () => {
  const resources = enter();
  const { grant } = await consent(resources);
  expect(await withdrawConsent(resources, { grantId: grant.id, by: 'alice' })).toEqual({
    withdrawn: true,
    tokens: 'ended',
  });
  expect(await grantOf(grant.id)).toMatchObject({ sealedDpopKey: null, dpopKeyId: null });
});

test('a key that was renewed while the keyring is rotated is not replaced by the old one', async () => {
  const { grant } = await consent(enter());
  const keyring = await enterWith(fixture.resources, keyLine('two'), fixture.resources.config.keyring);
  let renewed: string | undefined;
  const database = interrupting(fixture.resources.database, 2, async () => {
    await consent(enter());
    renewed = await keyOf(enter(), grant.id);
  });
  await rotateKeys({ ...enter({ keyring }), database });
  expect(await keyOf(enter({ keyring }), grant.id)).toBe(renewed);
  expect(await grantOf(grant.id)).toMatchObject({ dpopKeyId: 'two' });
  await access(enter({ keyring }), grant.id);
});
