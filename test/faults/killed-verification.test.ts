import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findVerification } from '../../src/database/repositories/verifications.ts';
import { dayMs } from '../../src/durations.ts';
import { openPersonRepository } from '../../src/flows/nights/open-person-repository.ts';
import { checkRepository } from '../../src/store/repository/check.ts';
import { untilNoon } from '../support/fixtures/noon.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { openConsentFixture } from '../support/harness/consent.ts';
import { file, folder } from '../support/servers/hostile-webdav.ts';
import type { Order } from './verify-child.ts';

/** Moments at which it is killed, spread over all that it has. */
const kills = 8;

test('a verification killed by SIGKILL at any moment of looking and mending leaves no more damage, and the next one and a night end it', async () => {
  await using fixture = await openConsentFixture();
  await using kept = await temporaryFolder('kept');
  const { resources, custody, storeFolder } = fixture;
  const { clock, config, database } = resources;
  custody.pass(untilNoon(clock.now()));
  await fixture.consent();
  const plan = await database.plan.findFirstOrThrow();
  await database.plan.updateMany({ data: { nextDueAt: new Date(clock.now().getTime() + 300 * dayMs) } });
  await database.run.deleteMany();
  const files = Object.fromEntries(
    Array.from({ length: 9 }, (_, n) => [`${n}.txt`, file(randomBytes(3_000).toString('hex'))]),
  );
  fixture.files.root.children = folder({ sub: folder(files) }).children ?? new Map();
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  const opened = () => openPersonRepository(resources, plan.userId);
  const { repository, location } = await opened();
  await repository.loadIndex();
  for (const { id } of repository.index.packs()) {
    const path = join(location, 'data', id.slice(0, 2), id);
    const bytes = await readFile(path);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await rm(path, { force: true });
    await writeFile(path, bytes);
  }
  await cp(storeFolder, kept.path, { recursive: true });

  const verifyInChild = async (killAt: number) => {
    const child = fork(join(import.meta.dirname, 'verify-child.ts'), { serialization: 'json', silent: true });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (line) => said.push(String(line)));
    let told = { moments: 0, peakBytes: 0 };
    child.on('message', (message: typeof told) => {
      told = message;
    });
    const order: Order = {
      databaseUrl: custody.databaseUrl,
      store: storeFolder,
      config: { keyring: config.keyring, verifyDays: 1 },
      shiftMs: clock.now().getTime() - Date.now(),
      killAt,
    };
    child.send(order);
    const [code, signal] = await once(child, 'close');
    if (signal === null && code !== 0) throw new Error(said.slice(-5).join('\n'));
    return { ...told, killed: signal === 'SIGKILL' };
  };
  const anew = async () => {
    await rm(storeFolder, { recursive: true, force: true });
    await cp(kept.path, storeFolder, { recursive: true });
    await database.verification.deleteMany();
    await database.verification.create({ data: { userId: plan.userId, since: clock.now(), nextAt: clock.now() } });
  };
  const known = () => findVerification(database, plan.userId);
  const expectMended = async (what: string) => {
    expect(await known(), what).toMatchObject({ damageState: 'healing', damagedPacks: [], errorCode: null });
    const { findings } = await checkRepository((await opened()).repository, { readData: 'all' });
    expect(new Set(findings.map(({ kind }) => kind)), what).toEqual(new Set(['blob-missing']));
  };

  const { moments } = await verifyInChild(-1);
  expect(moments).toBeGreaterThan(2 * kills);
  await expectMended('never killed');
  for (let kill = 0; kill < kills; kill++) {
    await anew();
    const at = Math.floor(((kill + Math.random()) * moments) / kills);
    expect(await verifyInChild(at), `moment ${at}`).toMatchObject({ killed: true });
    custody.pass(3_600_000);
    await verifyInChild(-1);
    await expectMended(`moment ${at}`);
  }
  custody.pass(dayMs);
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  custody.pass(dayMs);
  await verifyInChild(-1);
  expect(await known()).toMatchObject({ damageState: null, verifiedAt: expect.any(Date) });
  expect((await checkRepository((await opened()).repository, { readData: 'all' })).findings).toEqual([]);
});
