import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lease } from '../../../src/database/custody/leases.ts';
import { dayMs, minuteMs } from '../../../src/durations.ts';
import { saveSealed, sealToken } from '../../../src/flows/custody/offline-token.ts';
import { type Statements, sharedStatements } from '../../../src/flows/custody/statements.ts';
import { type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { saveGrants } from '../../support/harness/many-grants.ts';

let fixture: CustodyFixture;
let grants: string[];
let shared: Statements;
beforeEach(async () => {
  fixture = await openCustodyFixture();
  shared = sharedStatements(fixture.resources.database);
  grants = await saveGrants(fixture.resources, 6);
});
afterEach(() => fixture[Symbol.asyncDispose]());

function claim(grantId: string, holder = 'first'): Promise<Lease | undefined> {
  return shared.claim({ grantId, holder, purpose: 'run', at: fixture.resources.clock.now(), leaseMs: minuteMs });
}

async function claimed(grantIds: readonly string[]): Promise<Lease[]> {
  const leases = await Promise.all(grantIds.map((id) => claim(id)));
  return leases.filter((lease) => lease !== undefined);
}

function save(lease: Lease) {
  const { clock, keyring } = fixture.resources;
  const at = clock.now();
  const later = (ms: number) => new Date(at.getTime() + ms);
  const exchanged = {
    exchangeId: lease.exchangeId,
    grantId: lease.grant.id,
    sent: lease.token.number,
    fence: lease.fence,
    at,
    verdict: 'ok',
    status: 200,
    deadlines: {
      idleDeadline: later(30 * dayMs),
      maxDeadline: null,
      idleSeconds: null,
      nextExchangeAt: later(7 * dayMs),
    },
  };
  const next = { refreshToken: `next of ${lease.grant.id}` };
  return saveSealed(keyring, lease, next, (token) => shared.save({ ...exchanged, token }));
}

const rows = () => fixture.resources.database.grant.findMany({ orderBy: { id: 'asc' } });
const exchanges = () => fixture.resources.database.exchange.findMany();

test('claims and saves of one moment are each their own: lease, fence, exchange and generation', async () => {
  const leases = await claimed(grants);
  expect(leases.map(({ grant }) => grant.id)).toEqual(grants);
  expect(new Set(leases.map(({ exchangeId }) => exchangeId)).size).toBe(grants.length);
  expect(await Promise.all(leases.map(save))).toEqual(
    grants.map(() => ({ outcome: 'saved', replaced: 0, received: expect.any(Number) })),
  );
  for (const grant of await rows()) {
    expect(grant).toMatchObject({ state: 'active', fence: 1, generation: 2, leaseHolder: null, leaseUntil: null });
    const tokens = await fixture.resources.database.tokenGeneration.findMany({
      where: { grantId: grant.id },
      orderBy: { number: 'asc' },
      select: { number: true, state: true, parent: true },
    });
    expect(tokens).toEqual([
      { number: 1, state: 'superseded', parent: null },
      { number: 2, state: 'current', parent: 1 },
    ]);
  }
  expect(await exchanges()).toHaveLength(grants.length);
  for (const exchange of await exchanges())
    expect(exchange).toMatchObject({ verdict: 'ok', generation: 1, received: 2 });
});

describe('a claim', () => {
  test('of one grant is won once, however many ask for it at once', async () => {
    const [grantId = ''] = grants;
    const holders = Array.from({ length: 20 }, (_, n) => `worker ${n}`);
    const leases = await Promise.all(holders.map((holder) => claim(grantId, holder)));
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    expect(await exchanges()).toHaveLength(1);
  });

  test('of a grant whose answer was lost waits until the lease has run out, though no exchange is under way', async () => {
    const [grantId = ''] = grants;
    const { database, clock } = fixture.resources;
    const first = await claim(grantId);
    await database.exchange.updateMany({ data: { answeredAt: clock.now(), verdict: 'ambiguous' } });
    expect(await claim(grantId, 'second')).toBeUndefined();
    const at = first?.leaseUntil ?? new Date(0);
    const claimAt = (at: Date) => shared.claim({ grantId, holder: 'third', purpose: 'run', at, leaseMs: minuteMs });
    expect(await claimAt(new Date(at.getTime() - 1))).toBeUndefined();
    expect(await claimAt(at)).toMatchObject({ fence: 2 });
  });

  test('does not wait for a grant that somebody else is at, nor do the others with it', async () => {
    const [busy = '', ...others] = grants;
    await fixture.resources.database.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT 1 FROM grants WHERE id = ${busy}::uuid FOR UPDATE`;
      const leases = await claimed(grants);
      expect(leases.map(({ grant }) => grant.id)).toEqual(others);
    });
    expect(await claim(busy)).toBeDefined();
  });

  test('of a grant that nobody knows gets none, and the others get theirs', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(await claimed([unknown, ...grants])).toHaveLength(grants.length);
  });

  test('that cannot even be asked fails, and the others get theirs', async () => {
    const [wrong, ...others] = await Promise.allSettled(['no id at all', ...grants].map((id) => claim(id)));
    expect(wrong?.status).toBe('rejected');
    expect(others).toMatchObject(grants.map((id) => ({ status: 'fulfilled', value: { grant: { id } } })));
  });

  test('goes through once a minute for all of a moment while the circuit is open', async () => {
    const { database, clock } = fixture.resources;
    const [{ issuer, clientId } = { issuer: '', clientId: '' }] = await rows();
    const at = clock.now();
    const circuit = { issuer, clientId, open: true, reason: 'invalid_client', openedAt: at, nextProbeAt: at };
    await database.circuit.create({ data: circuit });
    fixture.pass(1);
    expect(await claimed(grants)).toHaveLength(1);
    expect(await exchanges()).toHaveLength(1);
    expect(await claimed(grants)).toHaveLength(0);
    fixture.pass(minuteMs);
    expect(await claimed(grants)).toHaveLength(1);
  });
});

describe('a save', () => {
  test('whose number was taken meanwhile costs the others of its moment nothing', async () => {
    const leases = await claimed(grants);
    const [taken] = leases;
    if (taken === undefined) throw new Error('No lease.');
    const { database, clock, keyring } = fixture.resources;
    const owner = { userId: taken.grant.userId, grantId: taken.grant.id };
    const token = sealToken(keyring, owner, 2, { refreshToken: 'out of a spool' });
    const origin = { grantId: taken.grant.id, parent: 1, fence: 1, receivedAt: clock.now() };
    await database.tokenGeneration.create({ data: { ...token, ...origin, state: 'pending' } });
    expect(await Promise.all(leases.map(save))).toEqual(
      grants.map(() => ({ outcome: 'saved', replaced: 0, received: expect.any(Number) })),
    );
    const moved = Object.fromEntries((await rows()).map(({ id, generation }) => [id, generation]));
    expect(moved).toEqual(Object.fromEntries(grants.map((id) => [id, id === taken.grant.id ? 3 : 2])));
  });

  test('that was fenced out is the only one of its moment that is', async () => {
    const leases = await claimed(grants);
    const [late] = leases;
    await fixture.resources.database.grant.update({ where: { id: late?.grant.id ?? '' }, data: { fence: 2 } });
    const outcomes = (await Promise.all(leases.map(save))).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(grants.map((id) => (id === late?.grant.id ? 'pending' : 'saved')));
    expect(await fixture.resources.database.tokenGeneration.count({ where: { state: 'pending' } })).toBe(1);
  });

  test('of a grant that somebody else is at waits for it alone', async () => {
    const leases = await claimed(grants);
    const [held, ...others] = leases;
    if (held === undefined) throw new Error('No lease.');
    let waiting: Promise<unknown> = Promise.resolve();
    await fixture.resources.database.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT 1 FROM grants WHERE id = ${held.grant.id}::uuid FOR UPDATE`;
      waiting = save(held);
      const outcomes = (await Promise.all(others.map(save))).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(others.map(() => 'saved'));
    });
    expect(await waiting).toEqual({ outcome: 'saved', replaced: 0, received: expect.any(Number) });
    for (const { generation } of await rows()) expect(generation).toBe(2);
  });

  test('that had to wait closes the circuit and counts what it replaced all the same', async () => {
    const [lease, late] = await claimed(grants);
    if (lease === undefined || late === undefined) throw new Error('No lease.');
    const { database, clock } = fixture.resources;
    await database.grant.update({ where: { id: late.grant.id }, data: { fence: 2 } });
    const { id: grantId, issuer, clientId } = lease.grant;
    const at = clock.now();
    const circuit = { issuer, clientId, open: true, reason: 'refusals', openedAt: at, nextProbeAt: at };
    await database.circuit.create({ data: circuit });
    const earlier = { grantId, number: 0, state: 'replaced' as const, keyId: 'bench', fence: 0 };
    await database.tokenGeneration.create({
      data: { ...earlier, fingerprint: Buffer.from('earlier'), receivedAt: at },
    });
    let waiting: Promise<unknown> = Promise.resolve();
    await database.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT 1 FROM grants WHERE id = ${grantId}::uuid FOR UPDATE`;
      waiting = save(lease);
      // In the same statement, which found the one held and the other fenced out: neither closed the circuit.
      expect(await save(late)).toEqual({ outcome: 'pending' });
      expect(await database.circuit.findFirst()).toMatchObject({ open: true });
    });
    expect(await waiting).toEqual({ outcome: 'saved', replaced: 1, received: expect.any(Number) });
    const closings = { subjectKind: 'circuit', to: 'closed', reason: 'refusals', by: 'provider' };
    expect(await database.event.count({ where: closings })).toBe(1);
    expect(await database.circuit.findFirst()).toMatchObject({ open: false });
  });

  test('that is made again, because its answer was lost, is the same save', async () => {
    const leases = await claimed(grants);
    await Promise.all(leases.map(save));
    expect(await Promise.all(leases.map(save))).toEqual(
      grants.map(() => ({ outcome: 'saved', replaced: 0, received: expect.any(Number) })),
    );
    for (const { generation } of await rows()) expect(generation).toBe(2);
  });
});
