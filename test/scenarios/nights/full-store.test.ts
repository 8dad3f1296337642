import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { dayMs } from '../../../src/durations.ts';
import { markPlaces } from '../../../src/flows/keys/marks.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { localError } from '../../../src/store/backend/local-error.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { untilNoon } from '../../support/fixtures/noon.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { file, folder } from '../../support/servers/hostile-webdav.ts';

const noSpace = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

test('a store that is full at any write fails the night by name, stays whole, and takes the next night once there is room', async () => {
  let room = Number.POSITIVE_INFINITY;
  let refused = 0;
  const limited = (backend: Backend): Backend => ({
    ...backend,
    save: async (...about) => {
      if (room-- <= 0) {
        refused += 1;
        throw localError(noSpace, backend.location);
      }
      return backend.save(...about);
    },
  });
  await using fixture = await openConsentFixture();
  const resources = {
    ...fixture.resources,
    store: (location: string) => {
      const backend = openLocalBackend(join(fixture.storeFolder, location));
      // A night goes on without its mark, which is written with the next use.
      return location.startsWith(markPlaces) ? backend : limited(backend);
    },
  };
  fixture.custody.pass(untilNoon(resources.clock.now()));
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const { database, clock } = resources;
  const plan = await database.plan.findFirstOrThrow();
  await database.plan.updateMany({ data: { nextDueAt: new Date(clock.now().getTime() + 300 * dayMs) } });
  await database.run.deleteMany();
  const night = async () => {
    fixture.custody.pass(dayMs / 2);
    const sub = folder({ 'b.txt': file(randomBytes(9).toString('hex')) });
    fixture.files.root.children =
      folder({ 'new.bin': file(randomBytes(50_000).toString('base64')), sub }).children ?? new Map();
    refused = 0;
    return fixture.backUp(plan.id, resources);
  };
  const findings = async () => {
    const { repository } = await openPersonRepository(fixture.resources, plan.userId);
    return (await checkRepository(repository, { readData: 'all' })).findings;
  };
  expect(await night()).toMatchObject({ state: 'succeeded' });
  // How many packs a night writes depends on when files arrive: the last n is that of a night to which nothing was refused.
  let n = 0;
  for (; ; n++) {
    room = n;
    const full = await night();
    if (refused === 0) {
      expect(full).toMatchObject({ state: 'succeeded', errorCode: null });
      break;
    }
    expect(full, `full at write ${n}`).toMatchObject({ errorCode: 'store/full', snapshotId: null });
    expect(full.message).toContain('is full. Make room');
    const there = await findings();
    room = Number.POSITIVE_INFINITY;
    expect(there, `full at write ${n}`).toEqual([]);
    if (n === 0) {
      fixture.custody.pass(2 * dayMs);
      const home = await (await signInAs(fixture, alice)).text('/');
      expect(home).toContain(texts.protection.nights.store_full.happened);
    }
    await database.run.updateMany({ where: { state: 'queued' }, data: { state: 'failed', finishedAt: clock.now() } });
    expect(await night(), `full at write ${n}`).toMatchObject({ state: 'succeeded', errorCode: null });
  }
  expect(n).toBeGreaterThanOrEqual(4);
  expect(await findings()).toEqual([]);
}, 120_000);
