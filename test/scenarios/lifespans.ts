import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { minuteMs } from '../../src/durations.ts';
import { warnOfEnds } from '../../src/flows/consent/warn-of-ends.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  backUpNow,
  consent,
  databaseOf,
  exchangesOf,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  type ServiceFixture,
  sweep,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

const second = 1_000;

/** How long things live at the provider: shortened to seconds there, which a real Keycloak makes us wait for. */
export function describeLifespans(provider: Provider): void {
  test('an offline token outlives SSO Session Idle and SSO Session Max', async () => {
    await using fixture = await openServiceFixture(provider);
    await consent(fixture, alice);
    await fixture.realm.configure({ ssoSeconds: 2 });
    const visitor = await fixture.visitor(alice);
    const signIn = () => visitor.open(new URL('login', fixture.url).href);
    await signIn();
    await fixture.passForAll(3 * second);
    visitor.asked();
    await signIn();
    expect(visitor.asked()).toContain('password');
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
  });

  test('an offline token lives over several windows of Offline Session Idle when used, and dies when unused', async () => {
    const idleSeconds = 6;
    await using fixture = await openServiceFixture(provider, { settings: { OFFLINE_IDLE: `${idleSeconds}s` } });
    const visitor = await consent(fixture, alice);
    await sweepFor(fixture, idleSeconds / 4);
    await fixture.realm.configure({ offlineIdleSeconds: idleSeconds });
    await sweepFor(fixture, 3 * idleSeconds);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
    const kept = (await exchangesOf(fixture, alice)).filter(({ purpose }) => purpose === 'keep-alive');
    expect(kept.length).toBeGreaterThan(6);
    expect(kept.every(({ verdict }) => verdict === 'ok')).toBe(true);

    await fixture.halt();
    await fixture.passForAll((idleSeconds + 3) * second);
    await fixture.restart();
    await sweepUntil(fixture, 30 * minuteMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
    expect(await grantOf(fixture, alice)).toMatchObject({ reason: 'expired_idle' });
    expect(await homeOf(fixture, visitor)).toContain(texts.home.expired);
  });

  test('Offline Session Max is foreseen, the person is warned, and the link renews the consent with its history', async () => {
    await using fixture = await openServiceFixture(provider, { settings: { OFFLINE_IDLE: '16s' } });
    const began = fixture.now().getTime();
    const visitor = await consent(fixture, alice);
    const inexactMs = fixture.now().getTime() - began + 2 * second;
    const before = { grant: await grantOf(fixture, alice), runs: await runsOf(fixture, alice) };
    const ends = new Date(fixture.now().getTime() + 18 * second);
    await fixture.realm.configure({ offlineMaxSeconds: Math.round((ends.getTime() - began) / second) });

    await sweepFor(fixture, 10);
    const { maxDeadline, state } = await grantOf(fixture, alice);
    expect(state).toBe('active');
    expect(Math.abs((maxDeadline?.getTime() ?? 0) - ends.getTime())).toBeLessThan(inexactMs);
    expect(await fixture.command('grants', '--expiring', '1d')).toMatch(/^alice +active( +\S+)?( +\S+ \S+ UTC){2}$/m);
    const [first] = fixture.processes;
    expect(first && (await warnOfEnds(first))).toBe(1);
    expect(await eventsOf(fixture, before.grant.id)).toContain('warned');
    expect(await homeOf(fixture, visitor)).toContain(texts.consentEnds.endsIn(1));

    await sweepFor(fixture, (ends.getTime() + inexactMs - fixture.now().getTime()) / second);
    await sweepUntil(fixture, 30 * minuteMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
    expect(await grantOf(fixture, alice)).toMatchObject({ reason: 'expired_maximum' });
    expect(await homeOf(fixture, visitor)).toContain(texts.home.expired);

    await fixture.realm.configure({ offlineMaxSeconds: 3_600 });
    await visitor.press(texts.grant.again);
    await visitor.press(texts.consent.agree);
    await fixture.atRest();
    expect(await grantOf(fixture, alice)).toMatchObject({ id: before.grant.id, state: 'active', reason: null });
    expect((await runsOf(fixture, alice)).slice(0, before.runs.length)).toEqual(before.runs);
    await backUpNow(fixture, visitor);
    expect((await runsOf(fixture, alice)).at(-1)).toMatchObject({ state: 'succeeded' });
  });
}

/** The duties of each minute are done again and again for so many seconds of the provider's time. */
async function sweepFor(fixture: ServiceFixture, seconds: number): Promise<void> {
  const until = fixture.now().getTime() + seconds * second;
  while (fixture.now().getTime() < until) {
    await sweep(fixture);
    await fixture.passForAll(200);
  }
}

async function eventsOf({ processes }: ServiceFixture, grantId: string): Promise<string[]> {
  const events = await databaseOf(processes).event.findMany({ where: { subjectKind: 'grant', subjectId: grantId } });
  return events.map(({ to }) => to);
}
