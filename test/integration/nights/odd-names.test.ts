import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { end, file, folder } from '../../support/servers/hostile-webdav.ts';

test('a night whose names no database takes is partial, not an error of ours, and each is named', async () => {
  await using fixture = await openConsentFixture();
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const { id } = await fixture.resources.database.plan.findFirstOrThrow();
  const nodes = {
    nul: file('x', { href: '/dav/a%00b.txt' }),
    'deep\u0001': folder({ nul: file('x', { href: '/dav/deep%01/%00' }) }),
    'escape\u001b[31m': file('e'),
    'caf\udce9': file('c'),
    'read\udce9\u0007': file('r'),
    ok: file('ok'),
  };
  fixture.files.root.children = folder(nodes).children ?? new Map();
  fixture.files.mischief = ({ method, path }, response) => {
    if (method !== 'GET' || !/escape|%E9$/.test(path)) return undefined;
    end(response, 403);
    return true;
  };
  const run = await fixture.backUp(id);
  expect(run).toMatchObject({
    state: 'partial',
    errorCode: 'source/malformed',
    problemCount: 4,
    counts: { entriesRead: 2 },
  });
  const paths = (run.problems as { path: string }[]).map(({ path }) => path).sort();
  expect(paths).toEqual(['files/a\\x00b.txt', 'files/caf\\xe9', 'files/deep\\x01/\\x00', 'files/escape\\x1b[31m']);
  const page = await guest.text(`/runs/${run.id}`);
  for (const name of paths.flatMap((path) => path.split('/').slice(1))) expect(page).toContain(name);
  expect(page).not.toContain('Internal error');
});

test('a root that answers with what no database takes fails with words that can be kept', async () => {
  await using fixture = await openConsentFixture();
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const { id } = await fixture.resources.database.plan.findFirstOrThrow();
  fixture.files.mischief = (_, response) => {
    const href = '<d:response><d:href>/else\u0000where/\udce9</d:href></d:response>';
    end(response, 207, {}, `<d:multistatus xmlns:d="DAV:">${href}</d:multistatus>`);
    return true;
  };
  const run = await fixture.backUp(id);
  expect(run).toMatchObject({ errorCode: 'source/malformed' });
  expect(run.message).toContain('It names /else\\x00where/');
});
