import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { dayMs } from '../../../src/durations.ts';
import { keepCard, openCard, writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { proveRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { retireKey } from '../../../src/flows/keys/retire-key.ts';
import { rotateKeys } from '../../../src/flows/keys/rotate-keys.ts';
import { type Fields, type Log, silentLog } from '../../../src/log.ts';
import type { Resources } from '../../../src/resources.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { loadCards, saveCard } from '../../../src/store/repository/cards.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { enterWith } from '../../support/harness/keys.ts';
import { openMoveFixture } from '../../support/harness/moves.ts';
import { keyLine } from '../../support/harness/settings.ts';

let fixture: ConsentFixture;
let noted: [event: string, fields: Fields | undefined][];
let resources: Resources;
beforeEach(async () => {
  fixture = await openConsentFixture();
  noted = [];
  const note = (event: string, fields?: Fields) => void noted.push([event, fields]);
  const log: Log = { ...silentLog, warn: note, with: () => log };
  resources = { ...fixture.resources, log };
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function backedUp(person = alice) {
  const rows = await fixture.consent(person);
  const night = () => fixture.backUp(rows.plan.id, resources);
  expect(await night()).toMatchObject({ state: 'succeeded' });
  const { id, location } = await resources.database.repository.findUniqueOrThrow({ where: { userId: rows.user.id } });
  const backend = openLocalBackend(join(fixture.storeFolder, location));
  const read = async () => (await loadCards(backend)).map((bytes) => openCard(resources.keyring, location, bytes));
  return { ...rows, id, location, backend, read, night };
}
const later = (ms: number): Resources['clock'] => ({
  ...resources.clock,
  now: () => new Date(resources.clock.now().getTime() + ms),
});
const rename = ({ user: { id } }: Awaited<ReturnType<typeof backedUp>>, username: string) =>
  resources.database.user.update({ where: { id }, data: { username } });
const forget = async ({ backend }: Awaited<ReturnType<typeof backedUp>>) => {
  for await (const { name } of backend.list('card')) await backend.remove('card', name);
};

test('the first night leaves one card beside the repository, which says whose it is and opens it, and nothing to others', async () => {
  const rows = await backedUp();
  const [card, ...others] = await rows.read();
  expect(others).toEqual([]);
  const { plan, user } = rows;
  const { recoveryKeyFile } = await resources.database.repository.findUniqueOrThrow({ where: { id: rows.id } });
  const { zone, windowStart, windowEnd } = plan;
  expect(card).toMatchObject({
    repositoryId: rows.id,
    owner: { userId: user.id, issuer: user.issuer, subject: user.subject, username: 'alice' },
    recovery: { keyFile: recoveryKeyFile, keptAt: null },
    plan: { zone, windowStart, windowEnd, retention: plan.retention, retentionAgreedAt: null },
    eraseAt: null,
  });
  const [file = ''] = await readdir(join(rows.backend.location, 'cards'));
  const bytes = await readFile(join(rows.backend.location, 'cards', file), 'latin1');
  for (const secret of [card?.password, 'alice', user.subject, user.issuer, user.id])
    expect(bytes).not.toContain(secret);
  expect(noted).toEqual([]);
});

test('it opens at no other place and with no other keyring, and not altered', async () => {
  const [one, other] = [await backedUp(alice), await backedUp(bob)];
  const [bytes = Buffer.of()] = await loadCards(one.backend);
  const open =
    (at: string, card: Uint8Array, keyring = resources.keyring) =>
    () =>
      openCard(keyring, at, card);
  expect(open(one.location, bytes)().owner.username).toBe('alice');
  const broken = expect.objectContaining({ code: 'seal/broken' });
  expect(open(other.location, bytes)).toThrow(broken);
  for (let at = 0; at < bytes.length; at += 1) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    expect(open(one.location, altered)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^seal/) }));
  }
  expect(open(one.location, bytes, parseKeyring(keyLine('foreign')))).toThrow(
    expect.objectContaining({ code: 'seal/unknown-key' }),
  );
});

describe('a card is written', () => {
  test('by the next night, and by healing, where an older installation left none', async () => {
    const rows = await backedUp();
    const asBefore = async () => {
      await forget(rows);
      await resources.database.repository.updateMany({ data: { cardDigest: null, cardKeyId: null } });
    };
    await asBefore();
    expect(await writeCards(resources)).toBe(1);
    expect(await rows.read()).toHaveLength(1);
    await asBefore();
    expect(await rows.night()).toMatchObject({ state: 'succeeded' });
    expect(await rows.read()).toHaveLength(1);
    expect(noted).toEqual([]);
    expect(await writeCards(resources)).toBe(0);
  });

  const changes: [
    what: string,
    change: (rows: Awaited<ReturnType<typeof backedUp>>) => Promise<unknown>,
    said: object,
  ][] = [
    [
      'the retention',
      ({ user, plan }) =>
        saveRetention(resources.database, {
          userId: user.id,
          planId: plan.id,
          rule: { daily: 3 },
          sealing: agreedRuleSealing(resources.keyring),
          at: new Date('2026-06-01T00:00:00Z'),
          by: 'test',
        }),
      { plan: { retention: { daily: 3 }, retentionAgreedAt: '2026-06-01T00:00:00.000Z' } },
    ],
    [
      'the hours',
      ({ plan }) => resources.database.plan.update({ where: { id: plan.id }, data: { windowStart: '02:34' } }),
      { plan: { windowStart: '02:34' } },
    ],
    [
      'the name',
      ({ user }) => resources.database.user.update({ where: { id: user.id }, data: { username: 'alicia' } }),
      { owner: { username: 'alicia' } },
    ],
    [
      'what is known of the recovery key',
      async ({ user }) => {
        const groups = (await revealRecoveryKey(resources, user.id)).recoveryKey.split('-');
        await proveRecoveryKey(resources, { userId: user.id, groups: [groups[2] ?? '', groups[4] ?? ''] });
      },
      { recovery: { keptAt: expect.stringMatching(/Z$/) } },
    ],
    [
      'the wish to have all erased',
      ({ grant }) =>
        withdrawConsent(resources, { grantId: grant.id, by: 'user:alice', eraseAt: new Date('2199-01-01') }),
      { eraseAt: '2199-01-01T00:00:00.000Z' },
    ],
  ];
  test.each(changes)('anew when %s changes', async (_, change, said) => {
    const rows = await backedUp();
    expect(await writeCards(resources)).toBe(0);
    await change(rows);
    expect(await writeCards(resources)).toBe(1);
    expect(await rows.read()).toMatchObject([said]);
    expect(await writeCards(resources)).toBe(0);
  });

  test('anew under the newest key, and until then the old one is not retired', async () => {
    const rows = await backedUp();
    const two = keyLine('two');
    const rotated = { ...resources, keyring: await enterWith(resources, two, resources.config.keyring) };
    await rotateKeys(rotated);
    const spool = { list: async () => [] };
    const retire = () => retireKey({ ...rotated, spool }, { keyId: 'one', by: 'test' });
    await expect(retire()).rejects.toMatchObject({ message: expect.stringContaining('cards of repositories: 1') });
    expect(await writeCards(rotated)).toBe(1);
    await retire();
    const [bytes = Buffer.of()] = await loadCards(rows.backend);
    expect(openCard(parseKeyring(two), rows.location, bytes).repositoryId).toBe(rows.id);
  });

  test('where it is gone and no night looks: within a week', async () => {
    const rows = await backedUp();
    await forget(rows);
    const within = (days: number) => writeCards({ ...resources, clock: later(days * dayMs) });
    expect(await within(6.9)).toBe(0);
    noted = [];
    expect(await within(7)).toBe(1);
    expect(noted).toEqual([['card.replaced', { found: 'missing' }]]);
    expect(await rows.read()).toHaveLength(1);
    expect(await within(8)).toBe(0);
  });

  test('after a change that leaves what it says the same, only once it is looked for', async () => {
    const rows = await backedUp();
    await rename(rows, 'other');
    await rename(rows, 'alice');
    await forget(rows);
    expect(await writeCards(resources, { random: () => 0.5 })).toBe(0);
    expect(await writeCards({ ...resources, clock: later(3 * dayMs) })).toBe(0);
    expect(await writeCards({ ...resources, clock: later(4 * dayMs) })).toBe(1);
  });

  test('not where there is no repository, as in a store that is not mounted', async () => {
    const rows = await backedUp();
    await resources.database.repository.updateMany({ data: { cardDigest: null } });
    const empty: Resources = {
      ...resources,
      store: (location) => openLocalBackend(join(fixture.storeFolder, 'elsewhere', location)),
    };
    expect(await writeCards(empty)).toBe(0);
    await keepCard(empty, rows.id);
    expect(await readdir(fixture.storeFolder)).not.toContain('elsewhere');
  });

  test('and then only is the one before removed: broken off anywhere, there is one that opens', async () => {
    const rows = await backedUp();
    for (const killed of ['save', 'remove'] as const) {
      await resources.database.repository.updateMany({ data: { cardDigest: null } });
      const dying = Object.assign(openLocalBackend(rows.backend.location), {
        [killed]: () => Promise.reject(new Error('killed')),
      });
      await writeCards({ ...resources, store: () => dying });
      expect((await rows.read()).map(({ owner }) => owner.username)).toContain('alice');
    }
    expect(await writeCards(resources)).toBe(1);
    expect(await rows.read()).toHaveLength(1);
  });
});

describe('a night notices a card', () => {
  test.each([
    ['that is gone', 'missing', forget],
    [
      'of somebody else',
      'unreadable',
      async (rows: Awaited<ReturnType<typeof backedUp>>) => {
        const [bytes = Buffer.of()] = await loadCards((await backedUp(bob)).backend);
        await forget(rows);
        await saveCard(rows.backend, bytes);
      },
    ],
    [
      'of its own that is an older one',
      'older',
      async (rows: Awaited<ReturnType<typeof backedUp>>) => {
        const [bytes = Buffer.of()] = await loadCards(rows.backend);
        await resources.database.plan.update({ where: { id: rows.plan.id }, data: { windowStart: '00:30' } });
        await writeCards(resources);
        await forget(rows);
        await saveCard(rows.backend, bytes);
      },
    ],
  ])('%s, and puts the right one back', async (_, found, spoil) => {
    const rows = await backedUp();
    await spoil(rows);
    noted = [];
    expect(await rows.night()).toMatchObject({ state: 'succeeded' });
    expect(noted).toEqual([['card.replaced', { found }]]);
    const { windowStart } = await resources.database.plan.findUniqueOrThrow({ where: { id: rows.plan.id } });
    expect(await rows.read()).toMatchObject([{ owner: { username: 'alice' }, plan: { windowStart } }]);
    noted = [];
    await rows.night();
    expect(noted).toEqual([]);
  });

  test('that cannot be written, says so, and backs up all the same', async () => {
    const rows = await backedUp();
    await forget(rows);
    const store: Resources['store'] = (location, at) => {
      const backend = resources.store(location, at);
      const save: typeof backend.save = async (type, name, bytes) => {
        if (type === 'card') throw new Error('no room');
        await backend.save(type, name, bytes);
      };
      return { ...backend, save };
    };
    expect(await fixture.backUp(rows.plan.id, { ...resources, store })).toMatchObject({ state: 'succeeded' });
    expect(noted.map(([event]) => event)).toEqual(['card.replaced', 'card.failed']);
  });
});

test('a move takes the card along, and leaves none with the old copy', async () => {
  await using moves = await openMoveFixture();
  const before = await moves.place();
  await moves.move();
  const { location, store } = await moves.place();
  const cards = async (at: string | null) => loadCards(moves.resources.store(location, at));
  expect(await cards(before.store)).toEqual([]);
  const [bytes = Buffer.of()] = await cards(store);
  expect(openCard(moves.resources.keyring, location, bytes).repositoryId).toBe(before.id);
  expect(await writeCards(moves.resources)).toBe(1);
  expect(await cards(store)).toHaveLength(1);
  expect(await cards(before.store)).toEqual([]);
});
