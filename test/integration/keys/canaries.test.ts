import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/database/client.ts';
import { removeCanary } from '../../../src/database/state/canaries.ts';
import { isAppError } from '../../../src/errors.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { fingerprint, seal } from '../../../src/vault/seal.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';
import { enterWith } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';

let fixture: DatabaseFixture;
let database: Database;
beforeEach(async () => {
  fixture = await openDatabaseFixture();
  database = fixture.database;
});
afterEach(() => fixture[Symbol.asyncDispose]());

const enter = (...lines: string[]) => enterWith({ database }, ...lines);
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'went well',
    (error: unknown) => (isAppError(error) ? `${error.code} ${error.message}` : error),
  );

test('a start without a key that the database was used with is refused, and so is one with another key of that name', async () => {
  const [one, two] = [keyLine('one'), keyLine('two')];
  await enter(one);
  await enter(two, one);
  const missing = expect.stringMatching(/^keyring\/invalid .*key one is missing or has changed. Put the right KEYRING/);
  expect(await refusal(enter(two))).toEqual(missing);
  expect(await refusal(enter(two, keyLine('one')))).toEqual(missing);
  expect(await refusal(enter(one))).toMatch(/key two is missing/);
  expect(await refusal(enter(one, two))).toBe('went well');
});

test('a canary that was copied to another key does not open', async () => {
  const [one, two] = [keyLine('one'), keyLine('two')];
  await enter(one);
  await enter(two, one);
  const { sealed } = await database.canary.findUniqueOrThrow({ where: { keyId: 'one' } });
  await database.canary.update({ where: { keyId: 'two' }, data: { sealed } });
  expect(await refusal(enter(two, one))).toMatch(/^keyring\/invalid .*key two/);
});

test('a retired key may be missing', async () => {
  const [one, two] = [keyLine('one'), keyLine('two')];
  await enter(one);
  await enter(two, one);
  await removeCanary(database, { keyId: 'one', at: new Date(), by: 'operator' });
  expect(await refusal(enter(two))).toBe('went well');
  const events = await database.event.findMany({ orderBy: { id: 'asc' }, select: { subjectId: true, to: true } });
  expect(events).toEqual([
    { subjectId: 'key one', to: 'sealing' },
    { subjectId: 'key two', to: 'sealing' },
    { subjectId: 'key one', to: 'retired' },
  ]);
});

test('fingerprints are the same under every keyring, also when the oldest key is gone', async () => {
  const [one, two, three] = [keyLine('one'), keyLine('two'), keyLine('three')];
  const before = fingerprint(await enter(one), 'a token');
  expect(fingerprint(await enter(two, one), 'a token')).toEqual(before);
  expect(fingerprint(await enter(two, one, three), 'a token')).toEqual(before);
  await removeCanary(database, { keyId: 'one', at: new Date(), by: 'operator' });
  expect(fingerprint(await enter(two), 'a token')).toEqual(before);
  expect(fingerprint(await enter(three, two), 'a token')).toEqual(before);
});

test('processes that start at once on an empty database agree on one fingerprint key', async () => {
  const lines = ['one', 'two', 'three'].map(keyLine);
  const rings = await Promise.all(
    [0, 1, 2, 0, 1, 2].map((turn) => enter(...lines.slice(turn), ...lines.slice(0, turn))),
  );
  expect(new Set(rings.map((ring) => fingerprint(ring, 'x').toString())).size).toBe(1);
});

test('a canary with a known word, as the first version left it, keeps the fingerprints of that version', async () => {
  const one = keyLine('one');
  const plain = parseKeyring(one);
  const { sealed } = seal(plain, { purpose: 'canary', owner: 'one' }, 'nightkeep');
  await database.canary.create({ data: { keyId: 'one', sealed, createdAt: new Date() } });
  expect(fingerprint(await enter(keyLine('two'), one), 'x')).toEqual(fingerprint(plain, 'x'));
});
