import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { parseRule } from '../../../src/domain/retention/rule.ts';
import { parseStoreAddress, storeUrl } from '../../../src/domain/store-address.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { pruneRepository } from '../../../src/flows/retention/prune-repository.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import { deleteFormerCopy } from '../../../src/flows/store/move-repository.ts';
import type { RemoteStore } from '../../../src/store/backend/remote-store.ts';
import { openRestStore } from '../../../src/store/backend/rest/rest.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openStores } from '../../../src/store/stores.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { describeBackend } from '../../contract/backend/contract.ts';
import { type Certificate, makeCertificate, openssl } from '../../support/fixtures/certificate.ts';
import { openTestRest } from '../../support/fixtures/rest-store.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { by, openMoveFixture } from '../../support/harness/moves.ts';
import { file } from '../../support/servers/hostile-webdav.ts';
import { rclone, startRcloneRest } from '../../support/servers/rclone.ts';
import type { RunningServer } from '../../support/servers/server-process.ts';
import { describeBesideRestic } from '../restic/beside-restic.ts';

const credentials = { user: 'nightkeep', password: 'a-secret-of-the-tests' };
const signal = new AbortController().signal;

describe.skipIf(rclone === undefined || openssl === undefined)(
  'rclone serve restic, over TLS and with a password',
  () => {
    let top: TemporaryFolder;
    let server: RunningServer;
    let store: RemoteStore;
    let certificate: Certificate;
    const origin = () => `https://127.0.0.1:${new URL(server.url).port}`;
    beforeAll(async () => {
      top = await temporaryFolder('rclone-rest');
      certificate = await makeCertificate(top.path, 'IP:127.0.0.1');
      const { certFile: cert, keyFile: key } = certificate;
      server = await startRcloneRest(join(top.path, 'served'), { credentials, tls: { cert, key } });
      const location = `rest:${origin()}`;
      store = openRestStore(
        { origin: origin(), ...credentials, location, ca: certificate.cert },
        { clock: systemClock() },
      );
    });
    afterAll(async () => {
      await store[Symbol.asyncDispose]();
      await server.stop();
      await top[Symbol.asyncDispose]();
    });

    describeBackend('REST, at rclone', async () => store.open(`contract/${randomUUID()}`));

    describeBesideRestic({
      store: () => store,
      stockAt: (location) => ({
        repository: location.replace('://', `://${credentials.user}:${credentials.password}@`),
        ca: certificate.certFile,
      }),
    });

    test('a wrong password, and an authority that nobody named, are told with the cure', async () => {
      const at = { origin: origin(), location: 'rest:x', user: credentials.user };
      await using guessing = openRestStore(
        { ...at, password: 'a guess', ca: certificate.cert },
        { clock: systemClock() },
      );
      await using trusting = openRestStore({ ...at, password: credentials.password }, { clock: systemClock() });
      await expect(guessing.open('x').load('config', 'config')).rejects.toThrow(/the user or the password/);
      await expect(trusting.open('x').load('config', 'config')).rejects.toThrow(/put its authority into STORE_CA/);
    });

    test('a repository moves there, on to a bucket, and back into a folder, and leaves nothing behind', async () => {
      await using fixture = await openMoveFixture();
      const address = parseStoreAddress(
        `rest:https://${credentials.user}@127.0.0.1:${new URL(server.url).port}/moved/`,
      );
      await using stores = openStores(
        {
          storeKeys: [
            { only: 'backups', id: 'tester', secret: 'a-secret-of-the-tests' },
            { id: credentials.user, secret: credentials.password },
          ],
          storeCa: certificate.cert,
        },
        systemClock(),
      );
      const resources = {
        ...fixture.resources,
        store: (location: string, at: string | null) =>
          stores.open(at === null ? fixture.resources.config.store : parseStoreAddress(at), location),
      };
      const { user } = fixture.rows;
      for (const to of [address, fixture.bucket, address, fixture.elsewhere]) {
        const { location } = await fixture.place();
        const report = await fixture.move(resources, to);
        expect(report?.files).toBeGreaterThan(5);
        expect(report?.copied).toBe(report?.files);
        expect(await fixture.place()).toMatchObject({ store: storeUrl(to) });
        const { repository } = await openPersonRepository(resources, user.id);
        expect(await checkRepository(repository, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 1 });
        expect(await stores.places(to)).toEqual([location]);
        await deleteFormerCopy(resources, await fixture.place(), { by });
      }
      expect(await stores.places(address)).toEqual([]);
      expect(fixture.server.files.size).toBe(0);
    });
  },
);

test.skipIf(rclone === undefined)(
  'at an rclone that lets nobody delete, nights go on, and what would remove anything says whose job that is',
  async () => {
    await using top = await temporaryFolder('rclone-append');
    const manner = { isAppendOnly: true };
    await using strict = await startRcloneRest(top.path, manner);
    await using store = openTestRest(new URL(strict.url).origin);
    await using fixture = await openConsentFixture({ store: (location) => store.open(`people/${location}`) });
    const { resources } = fixture;
    const { plan, user, grant } = await fixture.consent();
    for (let night = 0; night < 3; night++) {
      fixture.files.root.children?.set('a.txt', file(`of night ${night}`));
      expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded', problems: [] });
    }
    const { repository } = await openPersonRepository(resources, user.id);
    expect(await checkRepository(repository, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 3 });
    expect(await Array.fromAsync(repository.backend.list('lock'))).toEqual([]);
    const rule = parseRule('last=1');
    await saveRetention(resources.database, {
      userId: user.id,
      planId: plan.id,
      rule,
      sealing: agreedRuleSealing(resources.keyring),
      at: new Date(),
      by,
    });
    await retain(resources, { userId: user.id, signal });
    expect(await resources.database.repository.findFirst()).toMatchObject({ retentionHold: 'store/may-not-delete' });
    const snapshots = join(top.path, 'people', basename(repository.backend.location), 'snapshots');
    const { id: last } = await repository.findSnapshot('latest');
    for (const name of await readdir(snapshots)) if (name !== last) await rm(join(snapshots, name));
    await expect(pruneRepository(resources, { userId: user.id, by })).rejects.toMatchObject({
      code: 'store/may-not-delete',
      message: expect.stringContaining('Whoever may must do this'),
    });
    await withdrawConsent(resources, { grantId: grant.id, by: 'user:alice', eraseAt: new Date() });
    expect(await eraseRepositories(resources)).toBe(0);
    await strict.stop();
    // The operator's own way to the same folder.
    await using _loose = await startRcloneRest(top.path, { port: Number(new URL(strict.url).port) });
    resources.failedErasures.clear();
    expect(await eraseRepositories(resources)).toBe(1);
    expect(await Array.fromAsync(store.places('people'))).toEqual([]);
  },
);
