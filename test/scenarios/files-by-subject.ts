import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { alice, bob } from '../../demo/people.ts';
import { consent, databaseOf, openServiceFixture, type ServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** FILES_URL names people by their subject, whatever that looks like at the provider. */
export function describeFilesBySubject(provider: Provider): void {
  test('files at an address with {sub} are named so before the consent, in what was agreed, and in each night', async () => {
    await using front = await openFront();
    await using fixture = await openServiceFixture(provider, { settings: { FILES_URL: `${front.origin}/of/{sub}/` } });
    front.leadTo(fixture);
    for (const person of [alice, bob]) {
      const visitor = await consent(fixture, person);
      const { id, subject } = await databaseOf(fixture.processes).user.findFirstOrThrow({
        where: { username: person.username },
      });
      const own = `${front.origin}/of/${encodeURIComponent(subject)}/`;
      await visitor.open(new URL('consent', fixture.url).href);
      expect(await visitor.text()).toContain(own);
      const { terms } = await databaseOf(fixture.processes).consent.findFirstOrThrow({ where: { userId: id } });
      expect(terms).toMatchObject({ facts: { files: own } });
      const paths = front.asked();
      expect(paths.length).toBeGreaterThan(0);
      expect(paths.filter((path) => !path.startsWith(new URL(own).pathname))).toEqual([]);
    }
    const [first, second, ...more] = await fixture.night();
    expect([first?.state, second?.state, more]).toEqual(['succeeded', 'succeeded', []]);
    expect(front.asked().length).toBeGreaterThan(0);
  });
}

/** What stands before the cloud, in which people are called by their subjects. */
async function openFront() {
  const server = await listenOnLoopback(0);
  const asked: string[] = [];
  return {
    origin: server.origin,
    /** What was asked for since this was last called. */
    asked: () => asked.splice(0),
    leadTo: ({ cloud, processes }: ServiceFixture) => {
      server.serve(async (from, answer) => {
        const { url = '', method, headers } = from;
        asked.push(url);
        const [own = '', subject = ''] = /^\/of\/([^/]+)\//.exec(url) ?? [];
        const user = await databaseOf(processes).user.findFirst({ where: { subject: decodeURIComponent(subject) } });
        const theirs = new URL(cloud.filesUrl.replace('{preferred_username}', user?.username ?? 'nobody'));
        const { pathname } = theirs;
        const sent = request(new URL(url.replace(own, pathname), theirs), { method, headers });
        from.pipe(sent);
        const [given]: IncomingMessage[] = await once(sent, 'response');
        if (given === undefined || method !== 'PROPFIND')
          return void given?.pipe(answer.writeHead(given.statusCode ?? 502, given.headers));
        const { 'content-length': _, ...others } = given.headers;
        answer.writeHead(given.statusCode ?? 502, others).end((await text(given)).replaceAll(pathname, own));
      });
    },
    [Symbol.asyncDispose]: server.down,
  };
}
