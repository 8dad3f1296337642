import { expect, test } from 'vitest';
import type { CloudEntry } from '../../demo/cloud/cloud.ts';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { everyRow } from '../support/fixtures/every-row.ts';
import { eventually } from '../support/harness/nightkeep.ts';
import {
  consent,
  databaseOf,
  grantOf,
  openServiceFixture,
  type ServiceFixture,
} from '../support/harness/service-fixture.ts';
import type { Provider, Visitor } from '../support/realms/realm.ts';

const t = texts.restores;

/** A person puts a folder back to where it came from, with an access of that moment. */
export function describeRestoring(provider: Provider): void {
  test('what was lost is put back into a new folder with an access asked for at that moment, which is nowhere afterwards', async () => {
    await using fixture = await openServiceFixture(provider);
    const visitor = await consented(fixture);
    const before = filesIn(fixture, 'Letters');
    expect(before.size).toBe(7);
    fixture.cloud.remove(alice.username, 'Letters');
    visitor.asked();
    await putBack(fixture, visitor, 'files/Letters');
    expect(visitor.asked()).toContain('consent');
    await untilOver(visitor);
    expect(await visitor.text()).toContain(t.states.files.succeeded);
    const [folder = ''] = [...fixture.cloud.contents(alice.username).keys()].filter((path) => /^Restored /.test(path));
    expect(folder).toMatch(/^Restored \d{4}-\d\d-\d\d \d\d\.\d\d$/);
    expect(await visitor.text()).toContain(folder);
    expect(filesIn(fixture, `${folder}/Letters`)).toEqual(before);
    const restore = await databaseOf(fixture.processes).restore.findFirstOrThrow({});
    expect(restore).toMatchObject({ state: 'succeeded', files: before.size, expectedFiles: before.size, folder });
    expect((await everyRow(databaseOf(fixture.processes))).join('\n')).not.toMatch(/eyJ[\w-]+\.eyJ/);
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    await fixture.night();
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
  });

  test('a second one gets a folder of its own, and a file alone is put back too', async () => {
    await using fixture = await openServiceFixture(provider);
    const visitor = await consented(fixture);
    for (const round of [1, 2]) {
      await putBack(fixture, visitor, 'files/Letters/empty.txt');
      await untilOver(visitor);
      expect(await visitor.text(), `round ${round}`).toContain(t.states.files.succeeded);
    }
    const restored = [...fixture.cloud.contents(alice.username).keys()].filter((path) =>
      /^Restored .*empty/.test(path),
    );
    expect(restored).toHaveLength(2);
  });

  test('a no at the provider writes nothing, and is told', async () => {
    await using fixture = await openServiceFixture(provider);
    const visitor = await consented(fixture);
    visitor.decline();
    const before = [...fixture.cloud.contents(alice.username).keys()];
    await putBack(fixture, visitor, 'files/Letters');
    expect(await visitor.text()).toContain(t.states.files.cancelled);
    expect([...fixture.cloud.contents(alice.username).keys()]).toEqual(before);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
  });
}

/** Alice consents, and a night backs up what makes trouble on the way. */
async function consented(fixture: ServiceFixture): Promise<Visitor> {
  const write = (path: string, content: string | Buffer) =>
    fixture.cloud.write(alice.username, `Letters/${path}`, content);
  write('empty.txt', '');
  write('100% sure %41 #?&.txt', 'odd');
  write('Grüße 🌙.txt', 'odder');
  write('deep/deeper/deepest/one.txt', 'one');
  write('deep/two.txt', 'two');
  write('long.bin', Buffer.alloc(6 * 1024 * 1024, 'long '));
  write("it's [a] {name}.txt", 'more');
  return consent(fixture, alice);
}

async function putBack(fixture: ServiceFixture, visitor: Visitor, path: string): Promise<void> {
  const run = await databaseOf(fixture.processes).run.findFirstOrThrow({ where: { snapshotId: { not: null } } });
  const address = `snapshots/${run.snapshotId?.slice(0, 16)}/restore/${path.split('/').map(encodeURIComponent).join('/')}`;
  await visitor.open(new URL(address, fixture.url).href);
  await visitor.press(t.begin);
}

async function untilOver(visitor: Visitor): Promise<void> {
  await eventually(async () => {
    await visitor.open(visitor.url());
    return !(await visitor.text()).includes(t.states.files.running);
  });
}

function filesIn({ cloud }: ServiceFixture, folder: string): Map<string, Buffer> {
  const isFile = (pair: [string, CloudEntry]): pair is [string, CloudEntry & { kind: 'file' }] =>
    pair[1].kind === 'file';
  return new Map(
    [...cloud.contents(alice.username)]
      .filter(isFile)
      .filter(([path]) => path.startsWith(`${folder}/`))
      .map(([path, { bytes }]) => [path.slice(folder.length + 1), Buffer.from(bytes)]),
  );
}
