import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alice, bob, carol } from '../../../demo/people.ts';
import { listProviderKeys } from '../../../src/database/consent/provider-moves.ts';
import { checkIssuers } from '../../../src/doctor/checks/issuers.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { moveProvider } from '../../../src/flows/provider/move-provider.ts';
import { rememberFirstKeys, rememberKeys } from '../../../src/flows/provider/remember-keys.ts';
import { askPublishedKeys } from '../../../src/oidc/published-keys.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { refusalOf } from '../../support/fixtures/outcomes.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

/** Where nobody answers. */
const old = 'http://127.0.0.1:1/auth/realms/home';
let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Everybody here came when the provider was still at the old address. */
async function asOf(issuer: string): Promise<void> {
  const { database } = fixture.resources;
  await database.user.updateMany({ data: { issuer } });
  await database.grant.updateMany({ data: { issuer } });
  await sealRows(fixture.resources);
}
const now = () => fixture.custody.provider.issuer;
const move = (change: { from?: string; to?: string; dryRun?: boolean } = {}) =>
  moveProvider(fixture.resources, {
    from: old,
    dryRun: false,
    by: 'operator:a test',
    ...change,
    to: new URL(change.to ?? now()),
  });
const issuersOf = async () => {
  const { database } = fixture.resources;
  const rows = [...(await database.user.findMany()), ...(await database.grant.findMany())];
  return [...new Set(rows.map(({ issuer }) => issuer))];
};
/** The keys of the provider are known to have been those of the old address. */
async function remember(): Promise<void> {
  const { database, clock } = fixture.resources;
  const { keys } = await askPublishedKeys({ clock: clock, inside: undefined }, new URL(now()));
  for (const key of keys) await database.providerKey.create({ data: { ...key, issuer: old, seenAt: clock.now() } });
}

describe('a provider at another address', () => {
  test('is followed where it signs with the same key: people keep plan, runs, record and snapshots', async () => {
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    const { database } = fixture.resources;
    const plan = await database.plan.findFirstOrThrow();
    await database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    await asOf(old);
    await remember();
    const before = await database.user.findFirstOrThrow();
    const plain = await move({ dryRun: true });
    expect(plain).toMatchObject({ people: 1, grants: 1, joined: 0, settled: [], proof: { by: 'keys' } });
    expect(await issuersOf()).toEqual([old]);
    expect(await move()).toMatchObject({ from: old, to: now(), people: 1, grants: 1, proof: plain.proof });
    expect(await issuersOf()).toEqual([now()]);
    expect(await database.event.findMany({ where: { subjectKind: 'provider' } })).toMatchObject([
      { subjectId: old, from: old, to: now(), by: 'operator:a test', reason: expect.stringMatching(/^same keys: /) },
    ]);
    const again = await signInAs(fixture, alice);
    expect(await database.user.findMany()).toMatchObject([{ id: before.id }]);
    expect(await again.text('/')).toContain(texts.home.protected);
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('is followed where it takes an offline token of the old address, which a dry run does not send', async () => {
    await fixture.consent(alice);
    await fixture.consent(bob);
    await asOf(old);
    const asked = () => fixture.custody.provider.log.requests({}).length;
    const before = asked();
    const dry = await move({ dryRun: true });
    expect(dry.proof).toMatchObject({
      by: 'none yet',
      compared: expect.stringContaining('Keys of the old address: none'),
    });
    expect(asked()).toBe(before);
    expect(await move()).toMatchObject({ people: 2, grants: 2, proof: { by: 'exchange' } });
    expect(await issuersOf()).toEqual([now()]);
  });

  test('is not followed where nothing proves that it is the same, and the answer says what was compared', async () => {
    await fixture.consent(alice);
    await asOf(old);
    const { database, clock } = fixture.resources;
    const [key] = (await askPublishedKeys({ clock: clock, inside: undefined }, new URL(now()))).keys;
    const stranger = { issuer: old, kid: key?.kid ?? '', thumbprint: 'of other material' };
    await database.providerKey.create({ data: { ...stranger, seenAt: clock.now() } });
    vi.spyOn(fixture.resources.issuer, 'exchange').mockResolvedValue({
      kind: 'refused',
      status: 400,
      errorCode: 'invalid_grant',
    });
    const error = await refusalOf(move());
    expect(error).toMatchObject({ code: 'provider/not-the-same' });
    for (const words of [
      'Nobody was moved',
      `Keys of the old address: ${key?.kid}`,
      'None of them has the same',
      alice.subject,
    ])
      expect(error?.message).toContain(words);
    expect(await issuersOf()).toEqual([old]);
  });

  test('is not followed where the new address does not answer, and the answer says why', async () => {
    await fixture.consent(alice);
    await asOf(old);
    await fixture.custody.provider.down();
    const error = await refusalOf(move());
    expect(error).toMatchObject({ code: 'provider/not-the-same' });
    expect(error?.message).toMatch(/gives no discovery document \(ECONNREFUSED\)\.$/);
  });

  test('is not followed by a token that it answers for somebody else', async () => {
    await fixture.consent(alice);
    await asOf(old);
    await fixture.resources.database.grant.updateMany({ data: { subject: bob.subject } });
    const error = await refusalOf(move());
    expect(error?.message).toContain(`${bob.subject}: grant/wrong-subject`);
    expect(await issuersOf()).toEqual([old]);
  });

  test('that still answers at the old address too is compared there', async () => {
    await using other = await startOpenIdIssuer();
    await fixture.consent(alice);
    await asOf(other.url);
    other.metadata.jwks_uri = (await discovered()).jwks_uri;
    expect(await move({ from: other.url, dryRun: true })).toMatchObject({ proof: { by: 'keys' } });
    delete other.metadata.jwks_uri;
    expect(await move({ from: other.url, dryRun: true })).toMatchObject({
      proof: { by: 'none yet', compared: expect.stringContaining('Keys of the old address: 1 (1 of them') },
    });
  });

  test.each([
    [
      'is not OIDC_ISSUER',
      () => ({ to: 'https://elsewhere.example/' }),
      'usage/invalid',
      'Set it to the new address first',
    ],
    ['is where nobody is of', () => ({ from: 'https://nobody.example' }), 'request/not-found', `People are of: ${old}`],
    ['is the old one itself', () => ({ from: now() }), 'usage/invalid', 'the same address'],
  ])('is refused where it %s', async (_, change, code, words) => {
    await fixture.consent(alice);
    await asOf(old);
    const error = await refusalOf(move(change()));
    expect([error?.code, error?.message]).toEqual([code, expect.stringContaining(words)]);
    expect(await issuersOf()).toEqual([old]);
  });
});

const discovered = async (): Promise<{ jwks_uri: string }> =>
  (await fetch(`${now()}/.well-known/openid-configuration`)).json() as Promise<{ jwks_uri: string }>;

describe('a provider that refuses every token of its old name', () => {
  const refusing = () =>
    vi.spyOn(fixture.resources.issuer, 'exchange').mockResolvedValue({
      kind: 'refused',
      status: 400,
      errorCode: 'invalid_grant',
    });
  const keepAliveFor = async (hours: number) => {
    for (let hour = 0; hour < hours; hour += 1) {
      await fixture.resources.database.grant.updateMany({
        where: { state: 'active' },
        data: { nextExchangeAt: fixture.resources.clock.now() },
      });
      await keepAlive(fixture.resources);
      fixture.custody.pass(3_600_000);
    }
  };
  const states = async () =>
    (await fixture.resources.database.grant.findMany()).map(({ state, reason }) => [state, reason]);

  test('asks each person to agree again after the move, and stops nobody: the operator followed it knowingly', async () => {
    for (const person of [alice, bob, carol]) await fixture.consent(person);
    await asOf(old);
    await remember();
    await move();
    refusing();
    await keepAliveFor(8);
    expect(await fixture.resources.database.circuit.count()).toBe(0);
    expect(await states()).toEqual(Array(3).fill(['needs_consent', 'ended_at_provider']));
  });

  test('days later is at fault again where it refuses many at once', async () => {
    for (const person of [alice, bob, carol]) await fixture.consent(person);
    await asOf(old);
    await remember();
    await move();
    fixture.custody.pass(49 * 3_600_000);
    refusing();
    await keepAliveFor(8);
    expect(await fixture.resources.database.circuit.findFirst()).toMatchObject({ open: true, reason: 'refusals' });
    expect((await states()).filter(([state]) => state === 'needs_consent')).toEqual([]);
  });
});

describe('somebody who signs in before the move', () => {
  test('is told that they are new here, and becomes one with who they were', async () => {
    const first = await fixture.consent(alice);
    await asOf(old);
    await remember();
    const warn = vi.spyOn(fixture.resources.log, 'warn');
    const guest = await signInAs(fixture, alice);
    expect(warn).toHaveBeenCalledWith('sign-in.former-issuer', expect.objectContaining({ former: old }));
    for (const path of ['/', '/consent']) expect(await guest.text(path)).toContain(texts.formerAddress.happened(old));
    const bobs = await signInAs(fixture, bob);
    expect(await bobs.text('/')).not.toContain(texts.formerAddress.act);
    expect(await move()).toMatchObject({ people: 1, joined: 1, settled: [] });
    const { database } = fixture.resources;
    expect(await database.user.findMany({ where: { subject: alice.subject } })).toMatchObject([
      { id: first.user.id, issuer: now() },
    ]);
    expect((await guest.send('/grant')).headers.get('location')).toMatch(/^\/login/);
    expect((await bobs.send('/grant')).status).toBe(200);
    fixture.custody.pass(1_000);
    const again = await signInAs(fixture, alice);
    expect(await again.text('/')).not.toContain(texts.formerAddress.act);
    expect(await again.text('/grant')).toContain(texts.grant.states.active);
  });

  test('and has agreed there stays two, is named, and holds up nobody else', async () => {
    await fixture.consent(alice);
    await fixture.consent(bob);
    await asOf(old);
    await remember();
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    expect(await move()).toMatchObject({ people: 1, grants: 1, joined: 0, settled: [alice.subject] });
    const { database } = fixture.resources;
    expect(await database.user.count({ where: { subject: alice.subject } })).toBe(2);
    expect(await database.user.findFirstOrThrow({ where: { subject: bob.subject } })).toMatchObject({ issuer: now() });
  });
});

test('workers remember what the provider signs with, and nothing of an address with another name', async () => {
  const { database, clock } = fixture.resources;
  expect(await rememberKeys(fixture.resources)).toBeGreaterThan(0);
  await rememberKeys(fixture.resources);
  expect(await listProviderKeys(database, now())).toEqual(
    (await askPublishedKeys({ clock: clock, inside: undefined }, new URL(now()))).keys,
  );
  await using other = await startOpenIdIssuer();
  other.metadata.issuer = now();
  const { config } = fixture.resources;
  const elsewhere = { ...config, provider: { ...config.provider, issuer: new URL(other.url) } };
  expect(await rememberKeys({ ...fixture.resources, config: elsewhere })).toBe(0);
});

test('workers remember the first keys as soon as they can, and ask no more once they know some', async () => {
  const { database, clock } = fixture.resources;
  await fixture.custody.provider.down();
  await rememberFirstKeys(fixture.resources);
  expect(await listProviderKeys(database, now())).toEqual([]);
  await fixture.custody.provider.up();
  await rememberFirstKeys(fixture.resources);
  const [key] = await listProviderKeys(database, now());
  expect(key).toBeDefined();
  const seen = await database.providerKey.findFirstOrThrow();
  fixture.custody.pass(60_000);
  await rememberFirstKeys(fixture.resources);
  expect(await database.providerKey.findFirstOrThrow()).toEqual(seen);
  expect(clock.now().getTime()).toBeGreaterThan(seen.seenAt.getTime());
});

test.each([
  [[], /^ok/],
  [[{ issuer: 'https://id.example', count: 3 }], /^ok/],
  [
    [
      { issuer: 'http://id.example/auth', count: 12 },
      { issuer: 'https://id.example', count: 1 },
    ],
    /^warn: There are 12 consents of http:\/\/id.example\/auth, which is not OIDC_ISSUER.*nightkeep provider move http:\/\/id.example\/auth https:\/\/id.example\/ --dry-run/,
  ],
])('the doctor sees consents of an issuer that is not OIDC_ISSUER: %j', (counts, words) => {
  const { state, finding, cure } = checkIssuers(counts, new URL('https://id.example'));
  expect(`${state}: ${finding} ${cure}`).toMatch(words);
});
