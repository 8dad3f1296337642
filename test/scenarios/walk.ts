import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { DemoCloud } from '../../demo/cloud/cloud.ts';
import { alice } from '../../demo/people.ts';
import { findRepository } from '../../src/database/repositories/repositories.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  consent,
  databaseOf,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  type ServiceFixture,
} from '../support/harness/service-fixture.ts';
import type { Provider, Visitor } from '../support/realms/realm.ts';
import { restic, resticProgram } from '../support/servers/restic.ts';

const recoveryKey = /[a-z2-9]{5}(?:-[a-z2-9]{5}){5}/;

/** The way of a person from the sign-in to the restored files. */
export function describeWalk(provider: Provider): void {
  test.skipIf(resticProgram === undefined)(
    'a person consents at the provider, has two nights with a change between them, and restic restores every byte',
    async () => {
      await using fixture = await openServiceFixture(provider);
      const visitor = await consent(fixture, alice);
      expect(visitor.asked()).toEqual(expect.arrayContaining(['password', 'consent']));
      expect(await homeOf(fixture, visitor)).toContain(texts.home.protected);
      await visitor.open(new URL('consent', fixture.url).href);
      expect(await visitor.text()).not.toContain(texts.consent.refused);
      const password = await recoveryKeyOf(fixture, visitor);
      fixture.cloud.write(alice.username, 'Notes/Written between two nights.txt', 'Good night.\n');
      const [folder] = [...fixture.cloud.contents(alice.username).keys()];
      fixture.cloud.write(alice.username, `${folder}/Changed.txt`, 'Another line.\n');
      await fixture.night();
      expect(await runsOf(fixture, alice)).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
      await expectRestored(fixture, password);
    },
  );
}

/** As the page shows it to whoever signed in just now. */
async function recoveryKeyOf({ url }: ServiceFixture, visitor: Visitor): Promise<string> {
  await visitor.open(new URL('recovery', url).href);
  // Where the provider does not say when somebody signed in, they are asked to do it again.
  if ((await visitor.text()).includes(texts.fresh.signIn)) await visitor.press(texts.fresh.signIn);
  await visitor.press(texts.recovery.show);
  const [key = ''] = recoveryKey.exec(await visitor.text()) ?? [];
  return key;
}

/** With the recovery key, and the restic of the distribution. */
async function expectRestored({ folder, processes, cloud }: ServiceFixture, password: string): Promise<void> {
  const database = databaseOf(processes);
  const user = await database.user.findFirstOrThrow({ where: { username: alice.username } });
  const { location = '' } = (await findRepository(database, user.id)) ?? {};
  const store = processes[0]?.store(location, null).location ?? '';
  const repository = { repository: store.startsWith('file:') ? fileURLToPath(store) : store, password };
  const target = join(folder, 'restored');
  await restic(repository, 'check', '--read-data');
  await restic(repository, 'restore', 'latest', '--target', target);
  expect(await filesBelow(join(target, 'files'))).toEqual(filesOf(cloud));
}

function filesOf(cloud: DemoCloud): Map<string, Buffer> {
  const files = [...cloud.contents(alice.username)].flatMap(([path, entry]): [string, Buffer][] =>
    entry.kind === 'file' ? [[path, Buffer.from(entry.bytes)]] : [],
  );
  return new Map(files.sort(byPath));
}

async function filesBelow(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    paths.map(async (path): Promise<[string, Buffer]> => [path.slice(folder.length + 1), await readFile(path)]),
  );
  return new Map(files.sort(byPath));
}

const byPath = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);
