import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob, carol, type Person } from '../../../demo/people.ts';
import { revokeWithdrawn } from '../../../src/flows/consent/revoke-tokens.ts';
import { exchangeNow, obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';

let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Signs in, consents on the pages, and is backed up once. */
async function backedUp(person: Person): Promise<Guest> {
  const guest = await signInAs(fixture, person);
  await guest.consent();
  const { database } = fixture.resources;
  await database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
  const plan = await database.plan.findFirstOrThrow({ where: { user: { subject: person.subject } } });
  await fixture.backUp(plan.id);
  return guest;
}

describe('a person on the pages', () => {
  test('consents, is protected, withdraws, and the page says what became of token and snapshots', async () => {
    const guest = await backedUp(alice);
    expect(await guest.text('/')).toContain(texts.home.protected);
    expect(await guest.text('/grant')).toContain(texts.uses.all(2));
    await guest.post('/grant/withdraw', { snapshots: '30', sure: 'yes' });
    const ended = await guest.text('/grant');
    for (const words of [texts.protection.consent.withdrawn.happened, 'ended there too', 'stay until'])
      expect(ended).toContain(words);
    expect(await guest.text('/')).toContain(texts.home.expired);
    expect((await guest.post('/backup-now', {})).status).toBe(400);
  });

  test('whose provider is away when they withdraw is told so, and later that it heard', async () => {
    const guest = await backedUp(alice);
    await fixture.custody.provider.down();
    await guest.post('/grant/withdraw', { sure: 'yes' });
    expect(await guest.text('/grant')).toContain('not ended there yet');
    await fixture.custody.provider.up();
    await revokeWithdrawn(fixture.resources);
    expect(await guest.text('/grant')).toContain('ended there too');
  });

  test('is told of trouble with the provider, and of the end that no exchange puts off', async () => {
    const guest = await backedUp(alice);
    const { database, clock } = fixture.resources;
    const { issuer, clientId, id } = await database.grant.findFirstOrThrow();
    const at = clock.now();
    await database.grant.update({ where: { id }, data: { maxDeadline: new Date(at.getTime() + 6.5 * 86_400_000) } });
    const circuit = { issuer, clientId, reason: 'invalid_client', openedAt: at, nextProbeAt: at };
    await database.circuit.create({ data: { ...circuit, open: true } });
    for (const path of ['/', '/grant'])
      for (const words of [texts.protection.consent.provider_trouble.happened, texts.consentEnds.endsIn(7)])
        expect(await guest.text(path)).toContain(words);
    await database.circuit.updateMany({ data: { open: false } });
    expect(await guest.text('/')).not.toContain(texts.protection.consent.provider_trouble.happened);
  });

  test('erases everything, sees the receipt, and begins anew', async () => {
    const guest = await backedUp(alice);
    await guest.post('/grant/withdraw', { snapshots: 'now', sure: 'yes' });
    expect(await guest.text('/grant')).toContain(texts.withdraw.erasing);
    await eraseRepositories(fixture.resources);
    expect(await readdir(fixture.storeFolder)).toEqual([]);
    expect(await guest.text('/grant')).toContain('1 snapshot in');
    expect(await guest.text('/recovery')).toContain(texts.recovery.none);
    expect(await guest.text('/snapshots')).toContain(texts.snapshots.none);
    for (const path of ['/', '/recovery', '/verification'])
      expect(await guest.text(path)).not.toMatch(/next backup|nothing (?:\w+ )*yet/i);
    await guest.consent();
    expect(await guest.text('/')).toContain(texts.home.underway);
  });

  test('cannot have snapshots erased while the consent lives', async () => {
    const guest = await backedUp(alice);
    expect((await guest.post('/grant/snapshots', { snapshots: 'now', sure: 'yes' })).status).toBe(403);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
  });

  test('reads before agreeing that the provider refuses it, and why, as long as that is so', async () => {
    const guest = await signInAs(fixture, alice);
    const { provider, pass } = fixture.custody;
    const { clientId } = fixture.resources.issuer;
    const { secrets } = fixture.resources.config.provider;
    const read = async () => {
      pass(61_000);
      const page = await guest.text('/consent');
      expect(page).toContain(texts.consent.agree);
      return page;
    };
    expect(await read()).not.toContain(texts.consent.refused);
    provider.admin.setOfflineScope(clientId, false);
    const without = await read();
    for (const words of [texts.consent.refused, 'probably offline_access', texts.consent.refusedTold])
      expect(without).toContain(words);
    provider.admin.setOfflineScope(clientId, true);
    expect(await guest.text('/consent')).toContain(texts.consent.refused);
    expect(await read()).not.toContain(texts.consent.refused);
    provider.admin.setClientSecret(clientId, 'another');
    expect(await read()).toContain('its secret');
    provider.admin.setClientSecret(clientId, secrets[0] ?? '');
    await provider.down();
    expect(await read()).toContain('does not answer');
    await provider.up();
    expect(await read()).not.toContain(texts.consent.refused);
    await guest.consent();
  });

  test('reads beforehand whose address is fetched, and that is kept as what was agreed', async () => {
    Object.assign(fixture.resources.config, { filesUrl: 'https://cloud.example/{preferred_username}/' });
    const guest = await signInAs(fixture, alice);
    const own = `https://cloud.example/${alice.username}/`;
    expect(await guest.text('/consent')).toContain(own);
    await guest.consent();
    expect((await fixture.resources.database.consent.findFirstOrThrow()).terms).toMatchObject({
      facts: { files: own },
    });
  });

  test('whose provider refused them asks it again when the permission is back, at most once a minute', async () => {
    const guest = await backedUp(alice);
    const { admin, log } = fixture.custody.provider;
    const asked = () => log.requests({ subject: alice.subject }).length;
    await guest.post('/grant/ask-again', {});
    const before = asked();
    admin.setOfflineRole(alice.username, false);
    const { id: grantId } = await fixture.resources.database.grant.findFirstOrThrow();
    await expect(exchangeNow(fixture.resources, grantId)).rejects.toThrow('did not accept');
    const refused = await guest.text('/grant');
    expect(refused).toContain(texts.protection.consent.permission_missing.happened);
    expect(refused).toContain(texts.grant.ask);
    admin.setOfflineRole(alice.username, true);
    await guest.post('/grant/ask-again', {});
    expect(asked()).toBe(before + 1);
    expect(await guest.text('/grant')).toContain(texts.grant.ask);
    fixture.custody.pass(61_000);
    await guest.post('/grant/ask-again', {});
    expect(asked()).toBe(before + 2);
    const mended = await guest.text('/grant');
    expect(mended).toContain(texts.grant.states.active);
    expect(mended).not.toContain(texts.grant.ask);
    expect(await guest.text('/')).not.toContain(texts.protection.consent.consent_refused.happened);
  });

  test('sees every use of the consent, page by page', async () => {
    const guest = await backedUp(alice);
    const { database, holder, clock } = fixture.resources;
    const grant = await database.grant.findFirstOrThrow();
    const at = (index: number) => new Date(clock.now().getTime() - 86_400_000 - Math.floor(index / 2) * 1_000);
    const more = Array.from({ length: 230 }, (_, index) => ({
      id: crypto.randomUUID(),
      grantId: grant.id,
      generation: 1,
      fence: 0,
      holder,
      purpose: 'keep-alive',
      startedAt: at(index),
      answeredAt: at(index),
      verdict: 'ok',
      status: 200,
    }));
    await database.exchange.createMany({ data: more });
    const seen = new Set<string>();
    let path = '/grant';
    for (let pages = 0; pages < 3; pages++) {
      const text = await guest.text(path);
      path = /\/grant\?before=[\w-]+/.exec(text)?.[0] ?? '';
      seen.add(path);
    }
    expect([...seen].filter(Boolean)).toHaveLength(2);
    const csv = await (await guest.send('/grant/uses.csv')).text();
    expect(csv.trimEnd().split('\r\n')).toHaveLength(1 + 2 + 230);
  });
});

describe("somebody else's consent", () => {
  test('is seen and touched by nobody: not by bob, not by an operator', async () => {
    const ofAlice = await backedUp(alice);
    const { database } = fixture.resources;
    const grant = await database.grant.findFirstOrThrow();
    const use = await database.exchange.findFirstOrThrow({ orderBy: { startedAt: 'desc' } });
    const run = await database.run.findFirstOrThrow({ where: { state: 'succeeded' } });
    for (const person of [bob, carol]) {
      const guest = await signInAs(fixture, person);
      expect(await guest.text('/grant')).toContain(texts.grant.none);
      expect(await (await guest.send('/grant/uses.json')).json()).toEqual([]);
      expect((await (await guest.send('/grant/uses.csv')).text()).trimEnd().split('\r\n')).toHaveLength(1);
      expect((await guest.send(`/runs/${run.id}`)).status).toBe(404);
      expect((await guest.send(`/snapshots/${run.snapshotId}/browse/`)).status).toBe(404);
      await guest.post('/grant/ask-again', {});
      await guest.post('/grant/withdraw', { snapshots: 'now', sure: 'yes' });
      await guest.post('/grant/snapshots', { snapshots: 'now', sure: 'yes' });
    }
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await database.grant.findFirstOrThrow()).toMatchObject({ id: grant.id, state: 'active' });
    expect(await ofAlice.text('/')).toContain(texts.home.protected);
    await obtainAccess(fixture.resources, { grantId: grant.id, minimumSeconds: 1 });
    const bobs = await backedUp(bob);
    const listed = await (await bobs.send(`/grant/uses.json`)).text();
    expect(listed).not.toContain(run.id);
    expect(await bobs.text(`/grant?before=${use.id}`)).not.toContain(run.id);
  });
});
