import { expect, test } from 'vitest';
import { memberNamed, never, openSource, rootOf } from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type HostileNode,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const principal = (href: string) => `<d:current-user-principal><d:href>${href}</d:href></d:current-user-principal>`;
const owner = (href: string) => `<d:owner><d:href>${href}</d:href></d:owner>`;
const me = principal('/principals/users/al%20ice/');

/** The path of the root that is found at a server with these folders, and what was asked. */
async function homeAt(root: HostileNode, mischief: Mischief = () => undefined, { isShared = true } = {}) {
  await using server = await startHostileWebdav(root);
  server.mischief = mischief;
  await using source = openSource(server.url, { isShared });
  const [found] = await source.roots(never);
  const { location } = await rootOf(source);
  expect(found?.address).toBe(new URL(location, server.url).href);
  expect(found?.name).toBe('files');
  return { location, asked: server.heard.map(({ method, path }) => `${method} ${path}`) };
}

const homes = (own: string, properties = me) =>
  folder({ 'al ice': folder({ 'a.txt': file('a') }, { properties: own }), bob: folder() }, { properties });

const noListing: Mischief = ({ path, headers }, response) => {
  if (path !== '/dav/' || headers.depth !== '1') return undefined;
  end(response, 405);
  return true;
};

test.each<[string, HostileNode, Mischief | undefined, string]>([
  [
    'the folder that is theirs by its owner',
    homes(me + owner('/principals/users/al%20ice/')),
    undefined,
    '/dav/al%20ice/',
  ],
  [
    '… however its address is written',
    homes(owner('http://x.example/principals/users/al ice')),
    undefined,
    '/dav/al%20ice/',
  ],
  ['the folder below an address that cannot be listed', homes(me), noListing, '/dav/al%20ice/'],
  ['the address, where it can be listed and no owner is told', homes(me), undefined, '/dav/'],
  ['the address, where the folder is somebody else’s', homes(owner('/principals/users/bob/')), noListing, '/dav/'],
  [
    'the address that is theirs itself',
    homes(owner('/principals/users/al%20ice/'), me + owner('/principals/users/al%20ice')),
    undefined,
    '/dav/',
  ],
  ['the address, where the server tells no principal', homes('', ''), noListing, '/dav/'],
  [
    'the address, where nobody is signed in',
    homes('', '<d:current-user-principal><d:unauthenticated/></d:current-user-principal>'),
    noListing,
    '/dav/',
  ],
  ['the address, where there is no such folder', folder({ bob: folder() }, { properties: me }), noListing, '/dav/'],
  ['the address, where it is a file', folder({ 'al ice': file('a') }, { properties: me }), noListing, '/dav/'],
  [
    'the address, where its name is the principal’s',
    folder({ dav: folder() }, { properties: principal('/p/dav') }),
    noListing,
    '/dav/',
  ],
])('the home of a person at an address that is everybody’s is %s', async (_, root, mischief, expected) => {
  expect((await homeAt(root, mischief)).location).toBe(expected);
});

test('an address that names the person is taken as it is, without being asked', async () => {
  const { location, asked } = await homeAt(homes(owner('/principals/users/al%20ice/')), noListing, { isShared: false });
  expect(location).toBe('/dav/');
  expect(asked).toEqual([]);
});

test('what is in the home is found and named below it', async () => {
  await using server = await startHostileWebdav(homes(owner('/principals/users/al%20ice/')));
  await using source = openSource(server.url, { isShared: true });
  const listing = await source.list(await rootOf(source), never);
  expect(memberNamed(listing, 'a.txt').location).toBe('/dav/al%20ice/a.txt');
  server.root.children?.get('al ice')?.children?.set('odd', file('x', { href: '/dav/al%20ice/a%00b' }));
  expect((await source.list(await rootOf(source), never)).problems).toMatchObject([{ path: 'a\0b' }]);
});

test.each([
  [503, 'source/unavailable'],
  [401, 'source/unauthorized'],
])('a server that answers %i is not asked further', async (status, code) => {
  const refused = homeAt(homes(me), (_, response) => {
    end(response, status);
    return true;
  });
  await expect(refused).rejects.toMatchObject({ code });
});
