import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { urlOfPerson } from '../../../src/domain/url-template.ts';
import type { Member, Source } from '../../../src/sources/source.ts';
import { startServers } from '../../integration/demo/servers.ts';
import { contentOf, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';

test('the demo’s cloud is read whole with the provider’s token, and a change deep down shows at the top', async () => {
  await using servers = await startServers();
  const { cloud } = servers;
  const token = await servers.accessToken(alice);
  await using source = openSource(
    urlOfPerson(cloud.filesUrl, { subject: alice.subject, claims: { preferred_username: alice.username } }),
    {
      access: async () => ({ token }),
    },
  );
  const read = new Map<string, Buffer | 'folder'>();
  await walk(source, source.root, '', read);
  const contents = [...cloud.contents(alice.username)].map(([path, entry]) => [
    path,
    entry.kind === 'folder' ? 'folder' : Buffer.from(entry.bytes),
  ]);
  expect(Object.fromEntries(read)).toEqual(Object.fromEntries(contents));

  const before = await source.list(source.root, never);
  const again = await source.list(source.root, never);
  expect(again).toEqual(before);
  cloud.write(alice.username, 'Deep/down/below/new.txt', 'new');
  const top = memberNamed(await source.list(source.root, never), 'Deep').validator;
  cloud.write(alice.username, 'Deep/down/below/new.txt', 'newer');
  expect(memberNamed(await source.list(source.root, never), 'Deep').validator).not.toBe(top);
});

async function walk(source: Source, folder: Member, path: string, read: Map<string, Buffer | 'folder'>): Promise<void> {
  const { members, problems } = await source.list(folder, never);
  expect(problems).toEqual([]);
  for (const member of members) {
    const place = path === '' ? member.name : `${path}/${member.name}`;
    if (member.kind === 'collection') {
      read.set(place, 'folder');
      await walk(source, member, place, read);
    } else {
      const reading = await source.open(member, never);
      read.set(place, await contentOf(reading));
      expect(reading.validator).toBe(member.validator);
    }
  }
}
