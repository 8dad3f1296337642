import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { parseRule } from '../../../src/domain/retention/rule.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { pruneRepository } from '../../../src/flows/retention/prune-repository.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import { lookAgain } from '../../../src/flows/verification/look-again.ts';
import { retrying } from '../../../src/store/backend/retrying.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { file } from '../../support/servers/hostile-webdav.ts';
import { type HttpRelay, openHttpRelay } from '../../support/servers/http-relay.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';

const by = 'command:test';
const signal = new AbortController().signal;
let opened: AsyncDisposableStack;
let server: MemoryS3;
let relay: HttpRelay;
let fixture: ConsentFixture;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryS3());
  relay = opened.use(await openHttpRelay(server.origin));
  const bucket = opened.use(openTestBucket(relay.origin));
  const store = (location: string) => retrying(bucket.open(`people/${location}`), { clock: systemClock() });
  fixture = opened.use(await openConsentFixture({ store }));
});
afterEach(() => opened.disposeAsync());

/** The mark of a person stays as long as their account does. */
const besideMarks = () => [...server.files.keys()].filter((key) => !key.includes('/nightkeep-mark-'));
const keys = (part: string) => [...server.files.keys()].filter((key) => key.includes(part));

async function expectSound(userId: string, snapshots: number): Promise<void> {
  const { repository } = await openPersonRepository(fixture.resources, userId);
  expect(await checkRepository(repository, { readData: 'all' })).toMatchObject({ findings: [], snapshots });
}

test('nights, retention, pruning and erasing do in a bucket what they do in a folder', async () => {
  const { plan, user, grant } = await fixture.consent();
  for (let night = 0; night < 3; night++)
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded', problems: [] });
  await expectSound(user.id, 3);
  expect(keys('/locks/')).toEqual([]);
  const { database } = fixture.resources;
  const rule = parseRule('last=1');
  await saveRetention(database, {
    userId: user.id,
    planId: plan.id,
    rule,
    sealing: agreedRuleSealing(fixture.resources.keyring),
    at: new Date(),
    by,
  });
  await retain(fixture.resources, { userId: user.id, signal });
  await pruneRepository(fixture.resources, { userId: user.id, by });
  await expectSound(user.id, 1);
  const eraseAt = new Date();
  await withdrawConsent(fixture.resources, { grantId: grant.id, by: 'user:alice', eraseAt });
  expect(await eraseRepositories(fixture.resources)).toBe(1);
  expect(besideMarks()).toEqual([]);
});

test('where the key may not delete, nights go on, and what would remove anything says whose job that is', async () => {
  relay.decide(({ method }) => (method === 'DELETE' ? { refuse: 403, code: 'AccessDenied' } : 'pass'));
  const { plan, user, grant } = await fixture.consent();
  for (let night = 0; night < 3; night++)
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded', problems: [] });
  await expectSound(user.id, 3);
  const { database } = fixture.resources;
  const rule = parseRule('last=1');
  await saveRetention(database, {
    userId: user.id,
    planId: plan.id,
    rule,
    sealing: agreedRuleSealing(fixture.resources.keyring),
    at: new Date(),
    by,
  });
  await retain(fixture.resources, { userId: user.id, signal });
  expect(await database.repository.findFirst()).toMatchObject({ retentionHold: 'store/may-not-delete' });
  await expect(pruneRepository(fixture.resources, { userId: user.id, by })).rejects.toMatchObject({
    code: 'store/may-not-delete',
    message: expect.stringContaining('Whoever holds a key that may must do this'),
  });
  await withdrawConsent(fixture.resources, { grantId: grant.id, by: 'user:alice', eraseAt: new Date() });
  expect(await eraseRepositories(fixture.resources)).toBe(0);
  expect(keys('/keys/')).toHaveLength(2);
  relay.decide(() => 'pass');
  fixture.resources.failedErasures.clear();
  expect(await eraseRepositories(fixture.resources)).toBe(1);
  expect(besideMarks()).toEqual([]);
});

test('a bucket that is away fails a night with its reason, and the next one goes on', async () => {
  const { plan, user } = await fixture.consent();
  await fixture.backUp(plan.id);
  relay.decide(({ path }) => (path.includes('/data/') ? { refuse: 403, code: 'AccessDenied' } : 'pass'));
  fixture.files.root.children?.set('a.txt', file('another one'));
  const failed = await fixture.backUp(plan.id);
  expect(failed.state).not.toBe('succeeded');
  relay.decide(() => 'pass');
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  await expectSound(user.id, 2);
});

test('an emptied bucket is reported by the next night, and within minutes once it is filled again', async () => {
  const { plan, user } = await fixture.consent();
  await fixture.backUp(plan.id);
  const judged = async () => (await findProtection(fixture.resources, user.id)).reason;
  const aside = new Map(server.files);
  server.files.clear();
  expect(await fixture.backUp(plan.id)).toMatchObject({ errorCode: 'repository/not-usable', snapshotId: null });
  expect(await judged()).toBe('repository_gone');
  expect(keys('/config')).toEqual([]);
  const opening = await openPersonRepository(fixture.resources, user.id).catch((error: unknown) => error);
  expect(String(opening)).toMatch(/There is no repository at s3:.*Correct STORE_URL/);
  expect(String(opening)).not.toMatch(/disk/);
  relay.decide(() => ({ refuse: 503, code: 'SlowDown' }));
  expect(await lookAgain(fixture.resources, { signal })).toBe(0);
  relay.decide(() => 'pass');
  expect(await lookAgain(fixture.resources, { signal })).toBe(0);
  expect(await judged()).toBe('repository_gone');
  for (const [key, bytes] of aside) server.files.set(key, bytes);
  expect(await lookAgain(fixture.resources, { signal })).toBe(1);
  expect(await judged()).not.toBe('repository_gone');
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  await expectSound(user.id, 2);
});
