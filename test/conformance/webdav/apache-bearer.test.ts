import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessOf, contentOf, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { apache, startApache } from '../../support/servers/apache.ts';
import { type BearerIssuer, bearerIssuer } from '../../support/servers/bearer-issuer.ts';
import type { RunningServer } from '../../support/servers/server-process.ts';

/** Apache as the demo and the acceptance of others run it: `AuthType oauth20`, a folder for each person. */
describe.skipIf(apache === undefined)('Apache that checks bearer tokens', () => {
  let folder: TemporaryFolder;
  let server: RunningServer;
  let issuer: BearerIssuer;

  beforeAll(async () => {
    folder = await temporaryFolder('bearer');
    for (const person of ['alice', 'bob']) {
      await mkdir(join(folder.path, person, 'private'), { recursive: true });
      await writeFile(join(folder.path, person, 'letter.txt'), `Dear ${person}`);
    }
    await mkdir(join(folder.path, 'alice', 'closed'));
    await chmod(join(folder.path, 'alice', 'closed'), 0o000);
    issuer = await bearerIssuer();
    server = await startApache({
      root: folder.path,
      auth: { ...issuer.tokens, people: ['alice', 'bob', 'alice/private'] },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await chmod(join(folder.path, 'alice', 'closed'), 0o755);
    await folder?.[Symbol.asyncDispose]();
  });

  test('gives a person their own files', async () => {
    const access = accessOf(await issuer.tokenFor('alice'));
    await using source = openSource(`${server.url}alice`, { access });
    const listing = await source.list(source.root, never);
    expect((await contentOf(await source.open(memberNamed(listing, 'letter.txt'), never))).toString()).toBe(
      'Dear alice',
    );
    expect(access.asked.some(({ refused }) => refused !== undefined)).toBe(false);
  });

  test('refuses an old token, and takes the one that replaces it', async () => {
    const [old, fresh] = [await issuer.tokenFor('alice', -120), await issuer.tokenFor('alice')];
    const access = accessOf(old, fresh);
    await using source = openSource(`${server.url}alice/`, { access });
    expect((await source.list(source.root, never)).members.length).toBeGreaterThan(0);
    expect(access.asked.filter(({ refused }) => refused !== undefined)).toEqual([{ refused: old, minimumSeconds: 30 }]);
  });

  test("answers 401 for somebody else's folder: the run of that person ends", async () => {
    const access = accessOf(await issuer.tokenFor('alice'));
    await using source = openSource(`${server.url}bob/`, { access });
    await expect(source.list(source.root, never)).rejects.toMatchObject({ code: 'source/unauthorized' });
  });

  test('answers 401 for one folder among others: only that folder is forbidden', async () => {
    const access = accessOf(await issuer.tokenFor('alice'));
    await using source = openSource(`${server.url}alice/`, { access });
    const { members } = await source.list(source.root, never);
    const someoneElses = memberNamed({ members, problems: [] }, 'private');
    await expect(source.list(someoneElses, never)).rejects.toMatchObject({ code: 'source/forbidden' });
    expect(members.map(({ name }) => name)).toContain('letter.txt');
    expect((await source.list(source.root, never)).members).toHaveLength(members.length);
  });

  test('cannot read a folder that the disk closes to it', async () => {
    const access = accessOf(await issuer.tokenFor('alice'));
    await using source = openSource(`${server.url}alice/`, { access });
    const closed = memberNamed(await source.list(source.root, never), 'closed');
    await expect(source.list(closed, never)).rejects.toMatchObject({ code: 'source/forbidden' });
  });
});
