import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice, bob, carol } from '../../../demo/people.ts';
import { countSealed } from '../../../src/database/state/sealed-values.ts';
import type { ExchangeAnswer } from '../../../src/domain/verdict.ts';
import { isAppError } from '../../../src/errors.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { openBoundKey, sealBoundKey } from '../../../src/flows/custody/bound-key.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { openToken } from '../../../src/flows/custody/offline-token.ts';
import { retireKey } from '../../../src/flows/keys/retire-key.ts';
import { continueRotation, rotateKeys } from '../../../src/flows/keys/rotate-keys.ts';
import { purposes } from '../../../src/vault/purposes.ts';
import { openPassword, personSealing, planSealing } from '../../../src/vault/row-seals.ts';
import { unseal } from '../../../src/vault/seal.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { addUnseenRepository, enterWith, interrupting } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';

let fixture: CustodyFixture;
/** A process that knows the new key and still seals under the old one, and one that has the new one in front. */
let before: Custody;
let after: Custody;
let newLine: string;

async function open() {
  fixture = await openCustodyFixture();
  const oldLine = fixture.resources.config.keyring;
  newLine = keyLine('two');
  await enterWith(fixture.resources, oldLine);
  before = { ...fixture.resources, keyring: await enterWith(fixture.resources, oldLine, newLine) };
  after = { ...fixture.other('after'), keyring: await enterWith(fixture.resources, newLine, oldLine) };
}
beforeEach(() => open());
afterEach(() => fixture[Symbol.asyncDispose]());

const access = (resources: Custody, grantId: string) => obtainAccess(resources, { grantId, minimumSeconds: 30 });
const exchange = (grantId: string, { keyring } = before) => access({ ...fixture.other('exchanger'), keyring }, grantId);
const generationsOf = (grantId: string) =>
  fixture.resources.database.tokenGeneration.findMany({ where: { grantId }, orderBy: { number: 'asc' } });
const countUnder = async (keyId: string) =>
  (await countSealed(fixture.resources.database)).reduce(
    (sum, row) => (row.keyId === keyId ? sum + row.count : sum),
    0,
  );
const retire = (keyId: string) =>
  retireKey(after, { keyId, by: 'operator' }).then(
    () => 'retired',
    (error: unknown) => (isAppError(error) ? `${error.code} ${error.message}` : error),
  );

test('everything that is sealed opens again afterwards, under the new key alone', async () => {
  const { grant, user } = await fixture.consent();
  await exchange(grant.id);
  const repository = await addUnseenRepository(before, user.id);
  const owner = { userId: user.id, grantId: grant.id };
  const { database } = before;
  await database.grant.update({ where: { id: grant.id }, data: sealBoundKey(before.keyring, owner, 'a key') });
  const tokens = (await generationsOf(grant.id)).map((row) => openToken(before.keyring, owner, row));
  const steps: [number, number][] = [];
  expect(await rotateKeys(after, (...step) => void steps.push(step))).toEqual({ resealed: 7, broken: 0 });
  expect(steps.at(-1)).toEqual([7, 7]);
  expect(await countUnder('one')).toBe(0);
  expect(await retire('one')).toBe('retired');
  const keyring = await enterWith(after, newLine);
  const rows = await generationsOf(grant.id);
  expect(rows.map((row) => openToken(keyring, owner, row))).toEqual(tokens);
  expect(rows.map(({ keyId }) => keyId)).toEqual(['two', 'two']);
  const kept = await database.repository.findUniqueOrThrow({ where: { id: repository.id } });
  const read = (binding: Parameters<typeof unseal>[1], sealed: Uint8Array | null) =>
    Buffer.from(unseal(keyring, binding, sealed ?? new Uint8Array())).toString();
  expect(openPassword(keyring, kept)).toBe('a password');
  personSealing(keyring).require(await database.user.findUniqueOrThrow({ where: { id: user.id } }));
  planSealing(keyring).require(await database.plan.findUniqueOrThrow({ where: { grantId: grant.id } }));
  expect(read(purposes.recoveryKey(repository.id), kept.sealedRecoveryKey)).toBe('a recovery key');
  const { sealedDpopKey } = await database.grant.findUniqueOrThrow({ where: { id: grant.id } });
  expect(openBoundKey(keyring, owner, sealedDpopKey)).toBe('a key');
  expect(await rotateKeys({ ...after, keyring })).toEqual({ resealed: 0, broken: 0 });
});

test('the token that comes back unchanged is still known as the same once the oldest key is gone', async () => {
  const { grant } = await fixture.consent();
  await rotateKeys(after);
  await retire('one');
  const exchange = async (refreshToken: string): Promise<ExchangeAnswer> => ({
    kind: 'answered',
    status: 200,
    tokens: { accessToken: 'access', refreshToken },
    validate: async () => undefined,
  });
  const { issuer, ...other } = fixture.other('alone');
  const alone = { ...other, issuer: { ...issuer, exchange }, keyring: await enterWith(after, newLine) };
  await access(alone, grant.id);
  expect(await generationsOf(grant.id)).toHaveLength(1);
});

const meanwhile: [string, (grantId: string) => Promise<unknown>][] = [
  ['an exchange', (grantId) => exchange(grantId)],
  [
    'two exchanges by processes with either keyring',
    async (grantId) => {
      await exchange(grantId);
      await exchange(grantId, after);
    },
  ],
  ['a renewed consent', () => fixture.consent()],
  ['another rotation', () => rotateKeys(after)],
];

test.each(meanwhile)('%s between opening and replacing loses nothing, in every pass', async (_, disturb) => {
  const { grant, user } = await fixture.consent();
  await exchange(grant.id);
  for (const pass of [1, 2]) {
    const rotating = { ...after, database: interrupting(after.database, pass, () => disturb(grant.id)) };
    await rotateKeys(rotating);
    expect(await countUnder('one')).toBe(0);
    // Of an earlier consent nothing is left once the renewed one has proved itself.
    const rows = (await generationsOf(grant.id)).filter(({ sealed }) => sealed !== null);
    const tokens = rows.map((row) => openToken(after.keyring, { userId: user.id, grantId: grant.id }, row));
    expect(new Set(tokens).size).toBe(rows.length);
    expect(await exchange(grant.id, after)).toEqual(expect.anything());
    expect(await fixture.resources.database.grant.findUniqueOrThrow({ where: { id: grant.id } })).toMatchObject({
      state: 'active',
    });
    await exchange(grant.id);
  }
});

test('what was shredded between opening and replacing stays shredded', async () => {
  const { grant } = await fixture.consent();
  const shred = () => withdrawConsent(after, { grantId: grant.id, by: 'alice' });
  const rotating = { ...after, database: interrupting(after.database, 1, shred) };
  expect(await rotateKeys(rotating)).toEqual({ resealed: 2, broken: 0 });
  expect((await generationsOf(grant.id)).map(({ sealed }) => sealed)).toEqual([null]);
});

test('rotation and exchanges of many processes at once lose no token and end no grant', async () => {
  const grants = [await fixture.consent(alice), await fixture.consent(bob), await fixture.consent(carol)];
  const exchanging = grants.flatMap(({ grant }) =>
    [before, after].map(async (process) => {
      for (let night = 0; night < 4; night += 1) await exchange(grant.id, process);
    }),
  );
  await Promise.all([...exchanging, rotateKeys(after), rotateKeys(after), continueRotation(after, { most: 1 })]);
  await rotateKeys(after);
  expect(await countUnder('one')).toBe(0);
  for (const { grant } of grants) {
    const row = await fixture.resources.database.grant.findUniqueOrThrow({ where: { id: grant.id } });
    expect(row).toMatchObject({ state: 'active', generation: 9 });
  }
});

test('a value that another transaction holds is waited for, and nothing waits for the rotation', async () => {
  const [held, free] = [await fixture.consent(alice), await fixture.consent(bob)];
  const { database } = fixture.resources;
  let done: Promise<unknown> = Promise.resolve();
  await database.$transaction(async (transaction) => {
    await transaction.tokenGeneration.updateMany({ where: { grantId: held.grant.id }, data: { state: 'superseded' } });
    const { promise, resolve } = Promise.withResolvers<void>();
    const clock = { ...after.clock, sleep: async () => resolve() };
    done = rotateKeys({ ...after, clock });
    await promise;
    expect((await generationsOf(free.grant.id)).map(({ keyId }) => keyId)).toEqual(['two']);
    expect((await generationsOf(held.grant.id)).map(({ keyId }) => keyId)).toEqual(['one']);
  });
  expect(await done).toEqual({ resealed: 6, broken: 0 });
  expect(await generationsOf(held.grant.id)).toMatchObject([{ keyId: 'two', state: 'superseded' }]);
});

test('a sealed token that was copied to another row does not open there, and is left for the operator', async () => {
  const [one, two] = [await fixture.consent(alice), await fixture.consent(bob)];
  const [{ sealed } = { sealed: null }] = await generationsOf(one.grant.id);
  const { database } = fixture.resources;
  await database.tokenGeneration.updateMany({ where: { grantId: two.grant.id }, data: { sealed } });
  expect(await rotateKeys(after)).toEqual({ resealed: 5, broken: 1 });
  const [row] = await generationsOf(two.grant.id);
  expect(row).toMatchObject({ keyId: 'one', sealed });
  expect(await retire('one')).toBe(
    'keyring/in-use Key one cannot be retired: it still seals offline tokens: 1. Run: nightkeep keys rotate.',
  );
});

test('a worker rotates a part at a time, but not with a keyring that is older than that of others', async () => {
  for (const person of [alice, bob, carol]) await fixture.consent(person);
  expect(await continueRotation(after, { signal: AbortSignal.abort() })).toEqual({ resealed: 0, broken: 0 });
  expect(await continueRotation(after)).toEqual({ resealed: 9, broken: 0 });
  expect(await continueRotation(before)).toEqual({ resealed: 0, broken: 0 });
  expect(await rotateKeys(before)).toEqual({ resealed: 9, broken: 0 });
  expect(await continueRotation(after)).toEqual({ resealed: 0, broken: 0 });
});
