import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endSilentExchanges } from '../../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../../src/database/custody/leases.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { replaySpool } from '../../../src/flows/custody/spool-answer.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { access, type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });
const spooled = () => fixture.resources.spool.list();

/** The database answers no save of an exchange any more; sleeping between tries moves the clock on. */
function withoutSaves(custody: Custody): Custody {
  const database = new Proxy(custody.database, {
    get: (target, name) => {
      if (name !== '$queryRaw' && name !== '$transaction') return Reflect.get(target, name);
      return (first: TemplateStringsArray, ...rest: unknown[]) => {
        if (Array.isArray(first) && first[0]?.includes('WITH asked AS')) return target.$queryRaw(first, ...rest);
        return Promise.reject(new Error('the database is away'));
      };
    },
  });
  const clock = { ...custody.clock, sleep: async (ms: number) => fixture.pass(ms) };
  return { ...custody, database, clock };
}

describe('a database that is away when the answer comes', () => {
  test('loses nothing: the token waits on the disk, sealed, and the next exchange sends it', async () => {
    const { grant } = await fixture.consent();
    expect(await access(withoutSaves(fixture.other('unlucky')), grant.id)).toEqual(new Error('the database is away'));
    expect(await spooled()).toHaveLength(1);
    const [{ sealed } = { sealed: new Uint8Array() }] = await fixture.resources.spool.list();
    for (const { token } of fixture.provider.log.issued()) expect(Buffer.from(sealed).includes(token)).toBe(false);
    expect(await replaySpool(fixture.resources)).toBe(1);
    expect(await spooled()).toHaveLength(0);
    fixture.pass(minuteMs);
    expect(await access(fixture.resources, grant.id)).toBe('went well');
    expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 3 });
  });

  test('holds other processes back until that machine has had its time to give the token to the database', async () => {
    const { grant } = await fixture.consent();
    expect(await access(withoutSaves(fixture.other('unlucky')), grant.id)).toEqual(new Error('the database is away'));
    fixture.pass(2 * minuteMs);
    expect(await keepAlive({ ...fixture.resources, clock: { ...fixture.resources.clock } })).toEqual({
      exchanged: 0,
      failed: 0,
    });
    await fixture.resources.database.grant.update({ where: { id: grant.id }, data: { nextExchangeAt: new Date(0) } });
    expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 0, failed: 1 });
    expect(await replaySpool(fixture.resources)).toBe(1);
    expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 1, failed: 0 });
    expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 3 });
  });

  test('what the answer said of the token is kept on the disk with it', async () => {
    const { grant } = await fixture.consent();
    const unlucky = fixture.other('unlucky');
    const said = {
      issuedAt: new Date('2026-01-02T03:04:05Z'),
      endsAt: new Date('2036-01-02T03:04:05Z'),
      sid: 'a session',
    };
    const { exchange } = unlucky.issuer;
    vi.spyOn(unlucky.issuer, 'exchange').mockImplementation(async (...sent) => {
      const answer = await exchange(...sent);
      return answer.kind === 'answered' ? { ...answer, tokens: { ...answer.tokens, ...said } } : answer;
    });
    await access(withoutSaves(unlucky), grant.id);
    expect(await replaySpool(fixture.resources)).toBe(1);
    const { tokenGeneration } = fixture.resources.database;
    expect(await tokenGeneration.findFirstOrThrow({ where: { state: 'pending' } })).toMatchObject(said);
  });

  test('of a grant that was withdrawn meanwhile, the token on the disk is revoked at the provider', async () => {
    const { grant } = await fixture.consent();
    expect(await access(withoutSaves(fixture.other('unlucky')), grant.id)).toEqual(new Error('the database is away'));
    await withdrawConsent(fixture.resources, { grantId: grant.id, by: 'user:alice' });
    const revoke = vi.spyOn(fixture.resources.issuer, 'revoke').mockClear();
    revoke.mockRejectedValueOnce(new Error('the provider is away'));
    expect(await replaySpool(fixture.resources)).toBe(0);
    expect(await spooled()).toHaveLength(1);
    expect(await replaySpool(fixture.resources)).toBe(1);
    expect(revoke).toHaveBeenLastCalledWith(fixture.provider.log.issued().at(-1)?.token);
    expect(await spooled()).toHaveLength(0);
    expect(fixture.provider.admin.consentsOf('alice').every(({ lastUsed }) => lastUsed === undefined)).toBe(true);
  });
});

test('a disk that takes nothing stops no exchange: the database has the token', async () => {
  const { grant } = await fixture.consent();
  const file = join(fixture.resources.spool.folder, '..', 'not a folder');
  await writeFile(file, '');
  const custody = { ...fixture.other('diskless'), spool: openSpool(join(file, 'spool')) };
  expect(await access(custody, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ generation: 2 });
});

test('a disk that keeps what it should drop stops no exchange either, and healing finds it known', async () => {
  const { grant } = await fixture.consent();
  const { spool } = fixture.resources;
  const drop = () => Promise.reject(new Error('EROFS: read-only file system'));
  expect(await access({ ...fixture.other('stuck'), spool: { ...spool, drop } }, grant.id)).toBe('went well');
  expect(await spooled()).toHaveLength(1);
  expect(await replaySpool(fixture.resources)).toBe(1);
  expect(await spooled()).toHaveLength(0);
  expect(await fixture.resources.database.tokenGeneration.count({ where: { state: 'pending' } })).toBe(0);
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 2 });
});

test('without disk and database a token stays in memory until one of them is back', async () => {
  const { grant } = await fixture.consent();
  const file = join(fixture.resources.spool.folder, '..', 'not a folder');
  await writeFile(file, '');
  const away = withoutSaves(fixture.other('unlucky'));
  let tries = 0;
  const sleep = async (ms: number) => {
    fixture.pass(ms);
    tries += 1;
  };
  const database = new Proxy(away.database, {
    get: (target, name) => Reflect.get(tries < 200 ? target : fixture.resources.database, name),
  });
  const custody = { ...away, database, clock: { ...away.clock, sleep }, spool: openSpool(join(file, 'spool')) };
  expect(await access(custody, grant.id)).toBe('went well');
  expect(tries).toBe(200);
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 2 });
});

test('a token that the disk took, and may lose with the power, is saved until the database has it', async () => {
  const { grant } = await fixture.consent();
  const away = withoutSaves(fixture.other('unlucky'));
  let tries = 0;
  const sleep = async (ms: number) => {
    fixture.pass(ms);
    tries += 1;
  };
  const database = new Proxy(away.database, {
    get: (target, name) => Reflect.get(tries < 200 ? target : fixture.resources.database, name),
  });
  const flush = async () => Promise.reject(new Error('EIO'));
  const custody = { ...away, database, clock: { ...away.clock, sleep }, spool: { ...away.spool, flush } };
  expect(await access(custody, grant.id)).toBe('went well');
  expect(tries).toBe(200);
});

test('a spooled value of another keyring stays for the operator, and the others are replayed', async () => {
  const { grant } = await fixture.consent();
  expect(await access(withoutSaves(fixture.other('unlucky')), grant.id)).toEqual(new Error('the database is away'));
  await mkdir(fixture.resources.spool.folder, { recursive: true });
  await writeFile(join(fixture.resources.spool.folder, '00000000.sealed'), 'nothing that opens');
  expect(await replaySpool(fixture.resources)).toBe(1);
  expect(await spooled()).toMatchObject([{ name: '00000000' }]);
  await chmod(fixture.resources.spool.folder, 0o700);
});

describe('an exchange without any answer', () => {
  /** The process dies after the provider has answered and before anything was kept. */
  async function dieWithTheAnswer(grantId: string): Promise<void> {
    const { issuer, ...rest } = fixture.other('dies');
    const exchange = async (token: string) => {
      await issuer.exchange(token);
      return new Promise<never>(() => {});
    };
    void obtainAccess({ ...rest, issuer: { ...issuer, exchange } }, { grantId, minimumSeconds: 30 });
    while ((await fixture.resources.database.exchange.count({ where: { answeredAt: null } })) === 0) await null;
    while (fixture.provider.log.issued().length < 2) await new Promise((resolve) => setImmediate(resolve));
  }

  test('holds a run up for exactly as long as that answer may still come, without keeping a place of a worker', async () => {
    const { grant } = await fixture.consent();
    await dieWithTheAnswer(grant.id);
    const began = fixture.resources.clock.now();
    fixture.pass(minuteMs);
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);
    const run = { ...fixture.resources, clock: { ...fixture.resources.clock, sleep } };
    const refused = await obtainAccess(run, { grantId: grant.id, minimumSeconds: 30 }).catch((error: unknown) => error);
    const leftMs = began.getTime() + silenceMs - fixture.resources.clock.now().getTime();
    expect(refused).toMatchObject({ code: 'grant/busy', message: expect.stringContaining('quarter of an hour') });
    expect(Math.abs(Number(Object(refused).retry.afterMs) - leftMs)).toBeLessThan(minuteMs);
    expect(slept).toEqual([]);
    const exchanges = () => fixture.resources.database.exchange.count({ where: { grantId: grant.id } });
    const before = await exchanges();
    fixture.pass(Object(refused).retry.afterMs);
    await access(run, grant.id);
    expect(await exchanges()).toBe(before + 1);
  });

  test('is called ambiguous, the same token is sent once more, and what follows is lost by Nightkeep, not withdrawn', async () => {
    const { grant } = await fixture.consent();
    await dieWithTheAnswer(grant.id);
    fixture.pass(minuteMs);
    await fixture.resources.database.grant.update({ where: { id: grant.id }, data: { nextExchangeAt: new Date(0) } });
    expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 0, failed: 1 });
    fixture.pass(silenceMs);
    const at = fixture.resources.clock.now();
    const { database } = fixture.resources;
    expect(await endSilentExchanges(database, { before: new Date(at.getTime() - silenceMs), at })).toBe(1);
    for (let tried = 0; tried < 10; tried += 1) {
      await keepAlive(fixture.resources);
      fixture.pass(hourMs);
    }
    expect(await grantOf(grant.id)).toMatchObject({ state: 'needs_consent', reason: 'lost_rotation' });
  });
});

test('keep-alive exchanges what is due, the earliest end first, and leaves the rest alone', async () => {
  const { grant } = await fixture.consent();
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 0, failed: 0 });
  fixture.pass(7.4 * dayMs);
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 0, failed: 0 });
  fixture.pass(0.2 * dayMs);
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 1, failed: 0 });
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 0, failed: 0 });
  expect((await grantOf(grant.id)).idleDeadline.getTime()).toBeGreaterThan(
    fixture.resources.clock.now().getTime() + 29.9 * dayMs,
  );
});
