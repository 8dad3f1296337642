import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { databaseOf, openScene, type Scene } from '../support/harness/scene.ts';
import type { Provider } from '../support/realms/realm.ts';

/** Consent without a browser of ours: `nightkeep enroll`, and the nights that follow. */
export function describeEnrolment(provider: Provider): void {
  test('a person consents on another device, led there by a code', async () => {
    await using scene = await openScene(provider, { client: 'confidential, for other devices' });
    const enrolling = run(scene.process('enroll', 'device', '--yes', '--json'));
    const visitor = await scene.visitor(alice);
    await visitor.connectDevice(JSON.parse(await enrolling.firstLine).verificationUriComplete);
    expect(visitor.asked()).toEqual(['password', 'consent']);
    await expectEnrolled(scene, enrolling, 'device');
    expect(await scene.realm.offlineSessions(alice)).toBe(1);
  });

  test('a person consents with a password that is typed to the command (direct access grant)', async () => {
    await using scene = await openScene(provider, { client: 'confidential, with passwords of people' });
    const enrolling = run(scene.process('enroll', 'password', '--user', alice.username, '--yes'), alice.password);
    await expectEnrolled(scene, enrolling, 'password');
    expect(await scene.realm.offlineSessions(alice)).toBe(1);
  });

  test('the client consents for its own service account', async () => {
    await using scene = await openScene(provider, { client: 'confidential, for itself' });
    await expectEnrolled(scene, run(scene.process('enroll', 'service', '--yes')), 'service');
  });
}

interface Running {
  /** What it prints first; empty where it ends before. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ code: unknown; complaints: string }>;
}

function run(child: ChildProcessWithoutNullStreams, typed = ''): Running {
  child.stdin.end(typed);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const complaints = text(child.stderr);
  return {
    firstLine: lines.next().then(({ value }) => String(value ?? '')),
    ended: once(child, 'close').then(async ([code]) => ({ code, complaints: await complaints })),
  };
}

/** The command ends well, its first run and a night go well, and the way of consent is on record. */
async function expectEnrolled(scene: Scene, { ended }: Running, method: string): Promise<void> {
  expect(await ended).toMatchObject({ code: 0 });
  await scene.atRest();
  expect(await scene.night()).toMatchObject([{ state: 'succeeded' }]);
  const database = databaseOf(scene.processes);
  expect(await database.run.findMany()).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
  expect(await database.consent.findMany()).toMatchObject([{ method }]);
  expect(await database.grant.findMany()).toMatchObject([{ state: 'active', generation: 3 }]);
}
