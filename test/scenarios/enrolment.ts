import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { databaseOf, openServiceFixture, type ServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** Consent without a browser of ours: `nightkeep enroll`, and the nights that follow. */
export function describeEnrolment(provider: Provider): void {
  test('a person consents on another device, led there by a code', async () => {
    await using fixture = await openServiceFixture(provider, { client: 'confidential, for other devices' });
    const enrolling = run(fixture.process('enroll', 'device', '--yes', '--json'));
    const visitor = await fixture.visitor(alice);
    await visitor.connectDevice(JSON.parse(await enrolling.firstLine).verificationUriComplete);
    expect(visitor.asked()).toEqual(['password', 'consent']);
    await expectEnrolled(fixture, enrolling, 'device');
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
  });

  test('a person consents with a password that is typed to the command (direct access grant)', async () => {
    await using fixture = await openServiceFixture(provider, { client: 'confidential, with passwords of people' });
    const enrolling = run(fixture.process('enroll', 'password', '--user', alice.username, '--yes'), alice.password);
    await expectEnrolled(fixture, enrolling, 'password');
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
  });

  test('the client consents for its own service account', async () => {
    await using fixture = await openServiceFixture(provider, { client: 'confidential, for itself' });
    await expectEnrolled(fixture, run(fixture.process('enroll', 'service', '--yes')), 'service');
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
async function expectEnrolled(fixture: ServiceFixture, { ended }: Running, method: string): Promise<void> {
  expect(await ended).toMatchObject({ code: 0 });
  await fixture.atRest();
  const database = databaseOf(fixture.processes);
  const succeeded = { state: 'succeeded', attempt: 1, errorCode: null, message: null };
  expect(await database.run.findMany()).toMatchObject([succeeded]);
  expect(await fixture.night()).toMatchObject([succeeded]);
  expect(await database.run.findMany()).toMatchObject([succeeded, succeeded]);
  expect(await database.consent.findMany()).toMatchObject([{ method }]);
  expect(await database.grant.findMany()).toMatchObject([{ state: 'active', generation: 3 }]);
}
