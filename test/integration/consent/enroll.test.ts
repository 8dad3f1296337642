import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, type Person } from '../../../demo/people.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { type EnrollWay, enrollPerson } from '../../../src/flows/consent/enroll-person.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import type { DeviceLogin } from '../../../src/oidc/enroll.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
  fixture.custody.provider.admin.setRealm({ devicePollingSeconds: 1 });
});
afterEach(() => fixture[Symbol.asyncDispose]());

const terms = { said: 'every night' };
const enroll = (way: EnrollWay) => enrollPerson(fixture.resources, way, terms);
const withPassword = { method: 'password', username: alice.username, password: alice.password } as const;
/** What the person does on the other device. */
async function answerOnDevice(
  { verificationUri, userCode }: DeviceLogin,
  person: Person,
  button: string,
): Promise<void> {
  await using browser = openBrowser();
  const page = await browser.submit(await browser.open(verificationUri), { button: 'Go on' }, { user_code: userCode });
  await signIn(browser, await browser.submit(page, { button }), person);
}

function onDevice(button: string) {
  const done = Promise.withResolvers<void>();
  const show = (login: DeviceLogin) => void answerOnDevice(login, alice, button).then(done.resolve, done.reject);
  return { way: { method: 'device', show } as const, done: done.promise };
}

describe('enrolling', () => {
  test('by another device goes into the same custody as a browser, and asks for the first run', async () => {
    const { way, done } = onDevice('Yes, it is');
    const { user, grant, plan, runId, renewed } = await enroll(way);
    await done;
    expect(user).toMatchObject({ subject: alice.subject, username: 'alice' });
    expect(grant).toMatchObject({ state: 'active', generation: 1 });
    expect(plan).toMatchObject({ zone: 'Europe/London', paused: false });
    expect(renewed).toBe(false);
    const { database } = fixture.resources;
    expect(await database.consent.findFirstOrThrow()).toMatchObject({ method: 'device', terms });
    expect(await database.run.findUniqueOrThrow({ where: { id: runId } })).toMatchObject({
      trigger: 'consent',
      state: 'queued',
    });
    expect(fixture.taken()).toMatchObject([{ runId, now: true }]);
    await obtainAccess(fixture.resources, { grantId: grant.id, minimumSeconds: 1 });
  });

  test('by another device where the person says no leaves nothing behind', async () => {
    const { way, done } = onDevice('No');
    expect(await outcomeOf(enroll(way))).toBe('consent/denied');
    await done;
    expect(await fixture.resources.database.user.count()).toBe(0);
  });

  test('with a password gives a token that works', async () => {
    fixture.register({ directAccess: true, consentRequired: false });
    const { grant, plan } = await enroll(withPassword);
    expect(await fixture.resources.database.consent.findFirstOrThrow()).toMatchObject({ method: 'password' });
    await fixture.resources.database.run.updateMany({ data: { state: 'cancelled' } });
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    expect(fixture.custody.provider.admin.offlineSessions({ username: 'alice' })).toHaveLength(1);
    expect(grant.sid).toEqual(expect.any(String));
  });

  test('as a service account gives the client files of its own', async () => {
    fixture.register({ serviceAccount: true, consentRequired: false });
    const { user, grant } = await enroll({ method: 'service' });
    expect(user.username).toBe(`service-account-${fixture.resources.issuer.clientId}`);
    expect(await fixture.resources.database.consent.findFirstOrThrow()).toMatchObject({ method: 'service' });
    await obtainAccess(fixture.resources, { grantId: grant.id, minimumSeconds: 1 });
  });

  test('somebody who has consented in a browser renews that consent', async () => {
    const first = await fixture.consent();
    fixture.register({ directAccess: true, consentRequired: false });
    expect(await enroll(withPassword)).toMatchObject({ renewed: true, grant: { id: first.grant.id, generation: 2 } });
    const consents = await fixture.resources.database.consent.findMany({ orderBy: { agreedAt: 'asc' } });
    expect(consents.map(({ method }) => method)).toEqual(['browser', 'password']);
  });

  test.each<[string, Partial<DemoClient>, EnrollWay, string]>([
    ['direct access is switched off', { consentRequired: false }, withPassword, 'enroll/refused'],
    ['the client asks for consent', { directAccess: true }, withPassword, 'enroll/refused'],
    [
      'the password is wrong',
      { directAccess: true, consentRequired: false },
      { ...withPassword, password: 'x' },
      'enroll/refused',
    ],
    ['there is no service account', {}, { method: 'service' }, 'enroll/refused'],
  ])('is refused where %s, and leaves nothing behind', async (_, client, way, code) => {
    fixture.register(client);
    expect(await outcomeOf(enroll(way))).toBe(code);
    expect(await fixture.resources.database.user.count()).toBe(0);
  });

  test('is refused without the role or the scope for offline access', async () => {
    fixture.register({ directAccess: true, consentRequired: false });
    const { admin } = fixture.custody.provider;
    admin.setOfflineRole('alice', false);
    expect(await outcomeOf(enroll(withPassword))).toBe('consent/not-offline');
    admin.setOfflineRole('alice', true);
    admin.setOfflineScope(fixture.resources.issuer.clientId, false);
    expect(await outcomeOf(enroll(withPassword))).toBe('consent/not-offline');
    expect(await fixture.resources.database.user.count()).toBe(0);
  });
});
