import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import {
  accessOf,
  contentOf,
  find,
  heardLog,
  memberNamed,
  never,
  openSource,
} from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type Heard,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const tree = () =>
  folder({ mine: folder({ 'a.txt': file('a') }), bobs: folder(), locked: folder(), 'b.txt': file('b') });
const tokenOf = ({ headers }: Heard) => headers.authorization?.replace('Bearer ', '') ?? '';

/** Answers 401 wherever the token or the path is wrong. */
const only =
  (isGood: (token: string, path: string) => boolean): Mischief =>
  (request, response) => {
    if (isGood(tokenOf(request), request.path)) return undefined;
    end(response, 401, { 'www-authenticate': 'Bearer' });
    return true;
  };

const giving =
  (status: number, headers: Record<string, string> = {}, body = ''): Mischief =>
  (_, response) => {
    end(response, status, headers, body);
    return true;
  };

describe('a refused access token', () => {
  test('is replaced once, and the run goes on', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only((token) => token === 'second');
    const access = accessOf('first', 'second');
    await using source = openSource(server.url, { access });
    const listing = await source.list(source.root, never);
    await contentOf(await source.open(memberNamed(listing, 'b.txt'), never));
    expect(access.asked).toEqual([
      { minimumSeconds: 30 },
      { refused: 'first', minimumSeconds: 30 },
      { minimumSeconds: 30 },
    ]);
    expect(server.heard.map(tokenOf)).toEqual(['first', 'second', 'second']);
  });

  test('that is refused at the root even when fresh ends the run, without a loop', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only(() => false);
    const access = accessOf('first', 'second', 'third');
    await using source = openSource(server.url, { access });
    await expect(source.list(source.root, never)).rejects.toMatchObject({ code: 'source/unauthorized' });
    expect(server.heard.map(tokenOf)).toEqual(['first', 'second']);
  });

  test('that the root takes means that only this thing is forbidden; the next one costs no further token', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only((_, path) => !/bobs|locked/.test(path));
    const access = accessOf('first', 'second', 'third');
    await using source = openSource(server.url, { access });
    const listing = await source.list(source.root, never);
    for (const name of ['bobs', 'locked', 'bobs']) {
      await expect(source.list(memberNamed(listing, name), never)).rejects.toMatchObject({ code: 'source/forbidden' });
    }
    expect((await source.list(memberNamed(listing, 'mine'), never)).members).toHaveLength(1);
    expect(access.asked.filter(({ refused }) => refused !== undefined)).toEqual([
      { refused: 'first', minimumSeconds: 30 },
    ]);
  });

  test('is replaced again when the root takes the replacement no longer', async () => {
    await using server = await startHostileWebdav(tree());
    const good = new Set(['first']);
    server.mischief = only((token) => good.has(token));
    const access = accessOf('first', 'second', 'third');
    await using source = openSource(server.url, { access });
    const listing = await source.list(source.root, never);
    for (const next of ['second', 'third']) {
      good.clear();
      good.add(next);
      expect((await source.list(memberNamed(listing, 'mine'), never)).members).toHaveLength(1);
    }
  });

  test('after token is no server that takes them: the provider is not asked for one with each request', async () => {
    await using server = await startHostileWebdav(tree());
    let refuses = false;
    const refused: string[] = [];
    server.mischief = (_, response) => {
      refuses = !refuses;
      if (!refuses) return undefined;
      end(response, 401, { 'www-authenticate': 'Bearer' });
      return true;
    };
    const access = async (asked: { refused?: string }) => {
      if (asked.refused !== undefined) refused.push(asked.refused);
      return { token: `token ${refused.length}` };
    };
    const clock = manualClock('2026-05-04T12:00:00Z');
    await using source = openSource(server.url, { access, clock });
    const ask = () => source.list(source.root, never);
    for (let time = 0; time < 10; time++) expect((await ask()).members).toHaveLength(4);
    await expect(ask()).rejects.toMatchObject({ code: 'source/unauthorized' });
    expect(refused).toHaveLength(10);
    await clock.advance(60_000);
    refuses = false;
    expect((await ask()).members).toHaveLength(4);
    expect(refused).toHaveLength(11);
  });

  test('gives way to one that another exchange brought meanwhile, before a refusal counts', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only((token) => token === 'third');
    const given: string[] = [];
    const access = async ({ refused }: { refused?: string }) => {
      const token = refused === 'first' ? 'second' : given.includes('second') ? 'third' : 'first';
      given.push(token);
      return { token };
    };
    await using source = openSource(server.url, { access });
    expect((await source.list(source.root, never)).members).toHaveLength(4);
    expect(server.heard.map(tokenOf)).toEqual(['first', 'second', 'third']);
  });

  test('is not sought for ever where each exchange ends the one before', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only(() => false);
    const given: string[] = [];
    const access = async () => ({ token: `token ${given.push('')}` });
    await using source = openSource(server.url, { access });
    await expect(source.list(source.root, never)).rejects.toMatchObject({ code: 'source/unauthorized' });
    expect(server.heard.length).toBeLessThan(8);
  });

  test('that is refused everywhere in the middle of the run ends it', async () => {
    await using server = await startHostileWebdav(tree());
    await using source = openSource(server.url, { access: accessOf('first', 'second') });
    const entry = await find(source, 'b.txt');
    server.mischief = only(() => false);
    await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/unauthorized' });
  });

  test('cannot be replaced: the reason of the provider comes through', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = only(() => false);
    const refusal = new AppError('grant/not-usable', 'withdrawn');
    const access = async ({ refused }: { refused?: string }) => {
      if (refused !== undefined) throw refusal;
      return { token: 'first' };
    };
    await using source = openSource(server.url, { access });
    await expect(source.list(source.root, never)).rejects.toBe(refusal);
  });
});

test('a 403 is forbidden at once, without a new token', async () => {
  await using server = await startHostileWebdav(tree());
  const access = accessOf('first', 'second');
  await using source = openSource(server.url, { access });
  const listing = await source.list(source.root, never);
  server.mischief = (_, response) => {
    end(response, 403);
    return true;
  };
  await expect(source.list(memberNamed(listing, 'locked'), never)).rejects.toMatchObject({ code: 'source/forbidden' });
  expect(access.asked.some(({ refused }) => refused !== undefined)).toBe(false);
});

describe('a redirect', () => {
  const to =
    (location: string, status = 302): Mischief =>
    ({ path }, response) => {
      if (path !== '/dav/b.txt') return undefined;
      end(response, status, { location });
      return true;
    };

  test('to another host is refused, and the token never gets there', async () => {
    await using server = await startHostileWebdav(tree());
    await using thief = await startHostileWebdav(tree());
    await using source = openSource(server.url);
    const entry = await find(source, 'b.txt');
    for (const target of [
      `${thief.url}b.txt`,
      thief.url.replace('http:', ''),
      `https://127.0.0.1:${new URL(server.url).port}/dav/b.txt`,
    ]) {
      server.mischief = to(target);
      await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/refused-redirect' });
    }
    expect(thief.heard).toEqual([]);
  });

  test.each([301, 302, 307, 308])('of the same server is followed (%i)', async (status) => {
    await using server = await startHostileWebdav(folder({ 'b.txt': file('b'), moved: folder({ b: file('b') }) }));
    server.mischief = to('/dav/moved/b', status);
    await using source = openSource(server.url);
    expect((await contentOf(await source.open(await find(source, 'b.txt'), never))).toString()).toBe('b');
  });

  test('of the root is followed, and the folder listed where it led', async () => {
    await using server = await startHostileWebdav(folder({ real: folder({ x: file('x') }) }));
    server.mischief = ({ path, method }, response) => {
      if (path !== '/dav/' || method !== 'PROPFIND') return undefined;
      end(response, 301, { location: '/dav/real/' });
      return true;
    };
    await using source = openSource(server.url);
    expect((await source.list(source.root, never)).members).toMatchObject([{ name: 'x', location: '/dav/real/x' }]);
  });

  test('in a circle ends', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = to('/dav/b.txt');
    await using source = openSource(server.url);
    await expect(source.open(await find(source, 'b.txt'), never)).rejects.toMatchObject({ code: 'source/malformed' });
  });
});

test('no token is in any error, log line or URL', async () => {
  const secret = 'tok-SECRET-123';
  await using server = await startHostileWebdav(tree());
  await using thief = await startHostileWebdav(tree());
  const { log, lines } = heardLog();
  await using source = openSource(server.url, { access: async () => ({ token: secret }), log });
  const mischiefs: Mischief[] = [
    giving(401),
    giving(500),
    giving(302, { location: thief.url }),
    (_, response) => response.destroy() !== undefined,
    giving(207, {}, 'no xml'),
  ];
  for (const mischief of mischiefs) {
    server.mischief = mischief;
    const error = await source.list(source.root, never).catch((thrown: unknown) => thrown);
    log.error('failed', { error });
    expect(inspect(error)).not.toContain(secret);
  }
  expect(lines.join('\n')).not.toContain(secret);
  expect(lines.length).toBeGreaterThan(mischiefs.length);
  expect(server.heard.every(({ path, body }) => !`${path}${body}`.includes(secret))).toBe(true);
});

function inspect(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack} ${JSON.stringify(error)} ${inspect(error.cause)}`;
}
