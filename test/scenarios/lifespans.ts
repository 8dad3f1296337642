import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { warnOfEnds } from '../../src/flows/consent/warn-of-ends.ts';
import { texts } from '../../src/web/texts.ts';
import {
  backUpNow,
  consent,
  databaseOf,
  exchangesOf,
  grantOf,
  homeOf,
  openScene,
  runsOf,
  type Scene,
  sweep,
  sweepUntil,
} from '../support/harness/scene.ts';
import type { Provider } from '../support/realms/realm.ts';

const minute = 60_000;
const second = 1_000;

/** How long things live at the provider: shortened to seconds there, and waited for. */
export function describeLifespans(provider: Provider): void {
  test('an offline token outlives SSO Session Idle and SSO Session Max', async () => {
    await using scene = await openScene(provider);
    await consent(scene, alice);
    await scene.realm.configure({ ssoSeconds: 2 });
    const visitor = await scene.visitor(alice);
    const signIn = () => visitor.open(new URL('login', scene.url).href);
    await signIn();
    await sleep(3 * second);
    visitor.asked();
    await signIn();
    expect(visitor.asked()).toContain('password');
    expect(await scene.night()).toMatchObject([{ state: 'succeeded' }]);
  });

  test('an offline token lives over several windows of Offline Session Idle when used, and dies when unused', async () => {
    const idleSeconds = 6;
    await using scene = await openScene(provider, { settings: { OFFLINE_IDLE: `${idleSeconds}s` } });
    const visitor = await consent(scene, alice);
    await sweepFor(scene, idleSeconds / 4);
    await scene.realm.configure({ offlineIdleSeconds: idleSeconds });
    await sweepFor(scene, 3 * idleSeconds);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'active' });
    const kept = (await exchangesOf(scene, alice)).filter(({ purpose }) => purpose === 'keep-alive');
    expect(kept.length).toBeGreaterThan(6);
    expect(kept.every(({ verdict }) => verdict === 'ok')).toBe(true);

    await scene.halt();
    await sleep((idleSeconds + 3) * second);
    await scene.restart();
    await sweepUntil(scene, 30 * minute, async () => (await grantOf(scene, alice)).state === 'needs_consent');
    expect(await grantOf(scene, alice)).toMatchObject({ reason: 'expired_idle' });
    expect(await homeOf(scene, visitor)).toContain(texts.home.expired);
  });

  test('Offline Session Max is foreseen, the person is warned, and the link renews the consent with its history', async () => {
    await using scene = await openScene(provider, { settings: { OFFLINE_IDLE: '16s' } });
    const began = Date.now();
    const visitor = await consent(scene, alice);
    const inexactMs = Date.now() - began + 2 * second;
    const before = { grant: await grantOf(scene, alice), runs: await runsOf(scene, alice) };
    const ends = new Date(Date.now() + 18 * second);
    await scene.realm.configure({ offlineMaxSeconds: Math.round((ends.getTime() - began) / second) });

    await sweepFor(scene, 10);
    const { maxDeadline, state } = await grantOf(scene, alice);
    expect(state).toBe('active');
    expect(Math.abs((maxDeadline?.getTime() ?? 0) - ends.getTime())).toBeLessThan(inexactMs);
    expect(await scene.command('grants', '--expiring', '1d')).toMatch(/alice +active .*at the latest/);
    const [fixture] = scene.processes;
    expect(fixture && (await warnOfEnds(fixture))).toBe(1);
    expect(await eventsOf(scene, before.grant.id)).toContain('warned');
    expect(await homeOf(scene, visitor)).toContain(texts.consentEnds.endsIn(1));

    await sweepFor(scene, (ends.getTime() + inexactMs - Date.now()) / second);
    await sweepUntil(scene, 30 * minute, async () => (await grantOf(scene, alice)).state === 'needs_consent');
    expect(await grantOf(scene, alice)).toMatchObject({ reason: 'expired_maximum' });
    expect(await homeOf(scene, visitor)).toContain(texts.home.expired);

    await scene.realm.configure({ offlineMaxSeconds: 3_600 });
    await visitor.press(texts.grant.again);
    await visitor.press(texts.consent.agree);
    await scene.atRest();
    expect(await grantOf(scene, alice)).toMatchObject({ id: before.grant.id, state: 'active', reason: null });
    expect((await runsOf(scene, alice)).slice(0, before.runs.length)).toEqual(before.runs);
    await backUpNow(scene, visitor);
    expect((await runsOf(scene, alice)).at(-1)).toMatchObject({ state: 'succeeded' });
  });
}

/** Keep-alive at work for so many seconds of the provider's time. */
async function sweepFor(scene: Scene, seconds: number): Promise<void> {
  const until = Date.now() + seconds * second;
  while (Date.now() < until) {
    await sweep(scene);
    await sleep(200);
  }
}

async function eventsOf({ processes }: Scene, grantId: string): Promise<string[]> {
  const events = await databaseOf(processes).event.findMany({ where: { subjectKind: 'grant', subjectId: grantId } });
  return events.map(({ to }) => to);
}
