import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAppError } from '../../../src/errors.ts';
import { sealBoundKey } from '../../../src/flows/custody/bound-key.ts';
import { listKeys, retireKey } from '../../../src/flows/keys/retire-key.ts';
import { rotateKeys } from '../../../src/flows/keys/rotate-keys.ts';
import { seal } from '../../../src/vault/seal.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { addUnseenRepository, enterWith } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';

let fixture: CustodyFixture;
let resources: Custody;
let lines: string[];
/** What lies in the spool. */
let spooled: Uint8Array[];
beforeEach(async () => {
  fixture = await openCustodyFixture();
  lines = [keyLine('two'), fixture.resources.config.keyring];
  spooled = [];
  await enterWith(fixture.resources, fixture.resources.config.keyring);
  resources = { ...fixture.other('second'), keyring: await enterWith(fixture.resources, ...lines) };
});
afterEach(() => fixture[Symbol.asyncDispose]());

const spool = { list: async () => spooled.map((sealed, index) => ({ name: String(index), sealed })) };
const sealedWith = ({ keyring }: Custody) => seal(keyring, { purpose: 'spooled answer', owner: 'x' }, 'x').sealed;

const retire = (keyId: string, by = resources) =>
  retireKey({ ...by, spool }, { keyId, by: 'operator' }).then(
    () => 'retired',
    (error: unknown) => (isAppError(error) ? `${error.code} ${error.message}` : error),
  );
const list = (by = resources) => listKeys({ ...by, spool });

test('a key in use is named with all that it seals, and is not retired', async () => {
  const { user, grant } = await fixture.consent();
  await addUnseenRepository(fixture.resources, user.id);
  const data = sealBoundKey(fixture.resources.keyring, { userId: user.id, grantId: grant.id }, 'a key');
  await resources.database.grant.update({ where: { id: grant.id }, data });
  spooled = [sealedWith(fixture.resources), sealedWith(resources)];
  expect(await retire('one')).toBe(
    'keyring/in-use Key one cannot be retired: it still seals offline tokens: 1, DPoP keys: 1, repository passwords: 1, recovery keys: 1, people: 1, plans: 1, spooled answers: 1. Run: nightkeep keys rotate.',
  );
  expect(await list()).toMatchObject([
    { id: 'two', state: 'sealing', sealed: { 'spooled answers': 1 }, since: expect.any(Date) },
    {
      id: 'one',
      state: 'opening',
      sealed: {
        'offline tokens': 1,
        'repository passwords': 1,
        'recovery keys': 1,
        'DPoP keys': 1,
        people: 1,
        plans: 1,
      },
    },
  ]);
  expect(await resources.database.canary.count()).toBe(2);
});

test('a file on disk that needs the key is enough to keep it, but not one that was cut off', async () => {
  await fixture.consent();
  await rotateKeys(resources);
  spooled = [sealedWith(fixture.resources)];
  expect(await retire('one')).toMatch(/it still seals spooled answers: 1. Run: nightkeep heal/);
  spooled = [sealedWith(fixture.resources).subarray(0, 20)];
  expect(await retire('one')).toBe('retired');
});

test('a key that nothing is sealed under is retired, once, and the keyring may then come without it', async () => {
  await fixture.consent();
  await rotateKeys(resources);
  expect(await retire('one')).toBe('retired');
  expect(await retire('one')).toBe('retired');
  expect((await list()).map(({ id, state }) => [id, state])).toEqual([
    ['two', 'sealing'],
    ['one', 'idle'],
  ]);
  const [newest = ''] = lines;
  expect((await enterWith(resources, newest)).newest).toBe('two');
  expect(await retire('three')).toMatch(/^request\/not-found There is no key three/);
});

test('the key in front is never retired, not even by a process that has another one in front', async () => {
  expect(await retire('two')).toMatch(/^keyring\/in-use .*it seals everything new/);
  const behind = { ...resources, keyring: await enterWith(resources, ...lines.toReversed()) };
  expect(await retire('two', behind)).toMatch(/^keyring\/in-use .*it seals everything new/);
});

test('a key that the keyring lacks although something is sealed under it is listed as missing', async () => {
  const { user } = await fixture.consent();
  await rotateKeys(resources);
  await retire('one');
  await addUnseenRepository(fixture.resources, user.id);
  const [newest = ''] = lines;
  const without = { ...resources, keyring: await enterWith(resources, newest) };
  expect(await list(without)).toMatchObject([
    { id: 'two', state: 'sealing' },
    { id: 'one', state: 'missing', sealed: { 'repository passwords': 1, 'recovery keys': 1 } },
  ]);
});
