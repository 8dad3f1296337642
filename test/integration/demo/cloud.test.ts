import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBrowser } from '../../../demo/browser/browser.ts';
import { startCloud } from '../../../demo/cloud/cloud.ts';
import { oddNames } from '../../../demo/cloud/content.ts';
import { alice, bob, carol, type Person, people } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import { urlOfPerson } from '../../../src/domain/url-template.ts';
import { heldKinds } from '../../../src/sources/dav/held-kind.ts';
import { inspectMailServer } from '../../../src/sources/imap/inspect-mail-server.ts';
import type { Source } from '../../../src/sources/source.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { accessOf, contentOf, memberNamed, never, openSource, rootOf } from '../../support/fixtures/open-source.ts';
import { type DemoServers, startServers } from './servers.ts';

let servers: DemoServers;
let token: string;
beforeAll(async () => {
  servers = await startServers();
  token = await servers.accessToken(alice);
});
afterAll(() => servers[Symbol.asyncDispose]());

let bearer: string | undefined;
beforeEach(() => {
  bearer = token;
});

const at = (path: string) => `${servers.cloud.url}/dav/files/${path.split('/').map(encodeURIComponent).join('/')}`;
const ask = (method: string, url: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(url, {
    method,
    headers: { ...(bearer && { authorization: `Bearer ${bearer}` }), ...headers },
    ...(body !== undefined && { body }),
    redirect: 'manual',
  });

interface Seen {
  href: string;
  properties: Record<string, string>;
  isFolder: boolean;
}

/** Reads a multistatus, taking only properties that the server has. */
function seenIn(xml: string): Seen[] {
  const seen: Seen[] = [];
  const parser = new SaxesParser({ xmlns: true });
  let text = '';
  let group: Record<string, string> = {};
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ local }) => {
    text = '';
    if (local === 'response') seen.push({ href: '', properties: {}, isFolder: false });
    const current = seen.at(-1);
    if (current && local === 'collection') current.isFolder = true;
    if (local === 'propstat') group = {};
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('closetag', ({ local }) => {
    const current = seen.at(-1);
    if (current && local === 'href') current.href = text;
    else if (local === 'status' && current && text.includes('200')) Object.assign(current.properties, group);
    else if (!['prop', 'propstat', 'response', 'multistatus', 'collection', 'status'].includes(local))
      group[local] = text;
  });
  parser.write(xml).close();
  return seen;
}

async function list(path: string, depth = '1', body?: string): Promise<Seen[]> {
  const answer = await ask('PROPFIND', at(path), { depth }, body);
  expect(answer.status).toBe(207);
  return seenIn(await answer.text());
}

test('a walk with PROPFIND and GET finds exactly the contents of the cloud', async () => {
  const found = new Map<string, string>();
  const walk = async (href: string): Promise<void> => {
    const answer = await ask('PROPFIND', new URL(href, servers.cloud.url).href, { depth: '1' });
    const [, ...children] = seenIn(await answer.text());
    for (const child of children) {
      const path = decodeURIComponent(child.href).replace('/dav/files/alice/', '').replace(/\/$/, '');
      if (child.isFolder) {
        found.set(path, 'folder');
        await walk(child.href);
      } else {
        const file = await ask('GET', new URL(child.href, servers.cloud.url).href);
        const bytes = Buffer.from(await file.arrayBuffer());
        expect(file.headers.get('etag')).toBe(child.properties.getetag);
        expect(String(bytes.length)).toBe(child.properties.getcontentlength);
        found.set(path, createHash('sha256').update(bytes).digest('hex'));
      }
    }
  };
  await walk('/dav/files/alice/');

  const there = [...servers.cloud.contents('alice')].map(([path, entry]) => [
    path,
    entry.kind === 'folder' ? 'folder' : createHash('sha256').update(entry.bytes).digest('hex'),
  ]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(there));
  expect(found.size).toBeGreaterThan(350);
  for (const name of oddNames) expect(found.has(`Odd names/${name}`)).toBe(true);
  expect(found.get('Documents/Nothing here yet')).toBe('folder');
  expect(servers.cloud.contents('alice').get('Videos/Holiday.bin')).toMatchObject({ kind: 'file' });
});

test('the same seed gives the same files, another seed others', async () => {
  const again = await startCloud({ issuer: servers.provider.issuer, people: [alice] });
  const other = await startCloud({ issuer: servers.provider.issuer, people: [alice], seed: 'other' });
  const notes = (cloud: typeof again) => [...cloud.contents('alice')].filter(([path]) => path.startsWith('Photos'));
  expect(notes(again)).toEqual(notes(servers.cloud));
  expect(notes(other)).not.toEqual(notes(servers.cloud));
  await again.stop();
  await other.stop();
});

test('photos are pictures', () => {
  const photos = [...servers.cloud.contents('alice')].filter(([path]) => path.endsWith('.png'));
  expect(photos.length).toBeGreaterThan(100);
  for (const [, entry] of photos.slice(0, 3)) {
    if (entry.kind !== 'file') throw new Error('a folder called .png');
    const png = Buffer.from(entry.bytes);
    const length = png.readUInt32BE(33);
    expect(png.subarray(37, 41).toString()).toBe('IDAT');
    expect(inflateSync(png.subarray(41, 41 + length))).toHaveLength(64 * (1 + 96 * 3));
  }
});

test('a missing or invalid token gets 401 with Bearer, another person’s folder 403; carol has no folder', async () => {
  bearer = undefined;
  const without = await ask('PROPFIND', at('alice/'), { depth: '0' });
  expect(without.status).toBe(401);
  expect(without.headers.get('www-authenticate')).toMatch(/^Bearer/);
  bearer = `${token.slice(0, -8)}AAAAAAAA`;
  const bad = await ask('GET', at('alice/Notes/Empty.md'));
  expect(bad.status).toBe(401);
  expect(bad.headers.get('www-authenticate')).toContain('invalid_token');
  bearer = token;
  expect((await ask('PROPFIND', at('bob/'), { depth: '0' })).status).toBe(403);
  bearer = await servers.accessToken(bob);
  expect((await ask('PROPFIND', at('bob/'), { depth: '0' })).status).toBe(207);
  bearer = await servers.accessToken(carol);
  expect((await ask('PROPFIND', at('carol/'), { depth: '0' })).status).toBe(403);
});

test('an expired token gets 401, and so does one of another issuer', async () => {
  await using brief = await startServers({ accessTokenSeconds: 1 });
  bearer = await brief.accessToken(alice);
  expect((await ask('PROPFIND', at('alice/'), { depth: '0' })).status).toBe(401);
  const url = `${brief.cloud.url}/dav/files/alice/`;
  await expect.poll(async () => (await ask('PROPFIND', url, { depth: '0' })).status).toBe(401);
});

test('while the issuer’s keys cannot be fetched, the cloud answers 503 and not 401', async () => {
  await using lonely = await startServers();
  bearer = await lonely.accessToken(alice);
  await lonely.provider.down();
  const url = `${lonely.cloud.url}/dav/files/alice/`;
  expect((await ask('PROPFIND', url, { depth: '0' })).status).toBe(503);
  await lonely.provider.up();
  expect((await ask('PROPFIND', url, { depth: '0' })).status).toBe(207);
});

test('depth infinity, or none at all, is refused with propfind-finite-depth', async () => {
  for (const headers of [{ depth: 'infinity' }, {}]) {
    const answer = await ask('PROPFIND', at('alice/'), headers);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<d:propfind-finite-depth/>');
  }
});

test('PROPFIND answers the requested properties, and 404 for those that are missing', async () => {
  const body = `<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:oc="http://owncloud.org/ns"><prop>
    <getetag/><oc:size/><unheard-of xmlns="urn:x"/><getcontentlength/></prop></propfind>`;
  const answer = await ask('PROPFIND', at('alice/Notes'), { depth: '0' }, body);
  const text = await answer.text();
  const [folder] = seenIn(text);
  expect(Object.keys(folder?.properties ?? {}).sort()).toEqual(['getetag', 'size']);
  expect(text).toContain('xmlns:x="urn:x"');
  expect(text).toContain('404 Not Found');
  expect((await ask('PROPFIND', at('alice/Notes'), { depth: '0' }, '<propfind')).status).toBe(400);
  const bomb = '<!DOCTYPE a [<!ENTITY b "c">]><propfind xmlns="DAV:"><allprop/></propfind>';
  expect((await ask('PROPFIND', at('alice/Notes'), { depth: '0' }, bomb)).status).toBe(400);
});

test('a change deep below changes the ETag of every folder above it and of no other', async () => {
  const etags = async () =>
    Object.fromEntries(
      (await list('alice/')).concat(await list('alice/Documents')).map((one) => [one.href, one.properties.getetag]),
    );
  const before = await etags();
  servers.cloud.write('alice', 'Documents/2024/Invoices/deep.csv', 'one,1\n');
  const after = await etags();
  const changed = Object.keys(after).filter((href) => before[href] !== after[href]);
  expect(changed.sort()).toEqual([
    '/dav/files/alice/',
    '/dav/files/alice/Documents/',
    '/dav/files/alice/Documents/2024/',
  ]);
  servers.cloud.remove('alice', 'Documents/2024/Invoices/deep.csv');
  expect(await etags()).toEqual(before);
  const [root] = await list('alice/', '0');
  expect(root?.properties.id).toMatch(/^\d{8}ocdemo$/);
  expect(Number(root?.properties.size)).toBeGreaterThan(4_000_000);
});

test('GET supports ranges, If-Match, If-None-Match and If-Range', async () => {
  const url = at('alice/Videos/Holiday.bin');
  const whole = Buffer.from(await (await ask('GET', url)).arrayBuffer());
  expect(whole).toHaveLength(3 * 1024 * 1024);
  const head = await ask('HEAD', url);
  const etag = head.headers.get('etag') ?? '';
  expect(head.headers.get('content-length')).toBe(String(whole.length));

  const middle = await ask('GET', url, { range: 'bytes=1000-1999', 'if-match': etag });
  expect(middle.status).toBe(206);
  expect(middle.headers.get('content-range')).toBe(`bytes 1000-1999/${whole.length}`);
  expect(Buffer.from(await middle.arrayBuffer())).toEqual(whole.subarray(1000, 2000));
  expect(Buffer.from(await (await ask('GET', url, { range: 'bytes=-5' })).arrayBuffer())).toEqual(whole.subarray(-5));
  const rest = await ask('GET', url, { range: 'bytes=3145000-' });
  expect(Buffer.from(await rest.arrayBuffer())).toEqual(whole.subarray(3_145_000));

  expect((await ask('GET', url, { range: 'bytes=99999999-' })).status).toBe(416);
  expect((await ask('GET', url, { 'if-match': '"other"' })).status).toBe(412);
  expect((await ask('GET', url, { 'if-none-match': etag })).status).toBe(304);
  expect((await ask('GET', url, { range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
  expect((await ask('GET', at('alice/Notes/Empty.md'), { range: 'bytes=0-' })).status).toBe(416);
  expect(await (await ask('GET', at('alice/Notes/Empty.md'))).text()).toBe('');
});

test('files and folders can be put and removed; a wrong precondition changes nothing', async () => {
  expect((await ask('MKCOL', at('alice/Fresh'))).status).toBe(201);
  expect((await ask('MKCOL', at('alice/Fresh'))).status).toBe(405);
  expect((await ask('PUT', at('alice/Fresh/a b.txt'), {}, 'one')).status).toBe(201);
  const again = await ask('PUT', at('alice/Fresh/a b.txt'), {}, 'two');
  expect(again.status).toBe(204);
  expect((await ask('PUT', at('alice/Fresh/a b.txt'), { 'if-match': '"old"' }, 'no')).status).toBe(412);
  expect((await ask('PUT', at('alice/Fresh/a b.txt'), { 'if-none-match': '*' }, 'no')).status).toBe(412);
  expect(
    await (await ask('GET', at('alice/Fresh/a b.txt'), { 'if-match': again.headers.get('etag') ?? '' })).text(),
  ).toBe('two');
  expect((await ask('PUT', at('alice/Nowhere/x'), {}, 'x')).status).toBe(409);
  expect((await ask('DELETE', at('alice/Fresh'))).status).toBe(204);
  expect((await ask('GET', at('alice/Fresh/a b.txt'))).status).toBe(404);
  expect((await ask('DELETE', at('alice/'))).status).toBe(403);
});

test('paths with dot segments and malformed paths are refused', async () => {
  const { request } = await import('node:http');
  const status = (path: string) =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(servers.cloud.url);
      request({ hostname, port, path, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
  for (const path of ['alice/../bob/x', 'alice/%2e%2e/bob', 'alice/a%2Fb', 'alice//x', 'alice/%zz', 'alice/%00']) {
    expect([path, await status(`/dav/files/${path}`)]).toEqual([path, 400]);
  }
});

test('calendars and contacts are found by the address that everybody shares, and are whole', async () => {
  for (const [share, collection, body] of [
    ['calendars', 'Personal', /^BEGIN:VCALENDAR\r\n[\s\S]*\r\nEND:VCALENDAR\r\n$/],
    ['contacts', 'Friends', /^BEGIN:VCARD\r\n[\s\S]*\r\nEND:VCARD\r\n$/],
  ] as const) {
    await using source = openSource(servers.cloud.davUrl, { kind: heldKinds[share], access: accessOf(token) });
    const [root] = await source.roots(never);
    if (root === undefined) throw new Error('no root');
    expect(root.address).toBe(`${servers.cloud.davUrl}${share}/alice/`);
    const { members } = await source.list(root.collection, never);
    expect(members.map((member) => member.name)).toEqual([collection]);
    const listing = await source.list(memberNamed({ members, problems: [] }, collection), never);
    const held = [...servers.cloud.contents('alice', share)].filter(([, { kind }]) => kind === 'file');
    expect(listing.members).toHaveLength(held.length + 1);
    expect(held.length).toBeGreaterThan(20);
    for (const [, entry] of held) expect(entry.kind === 'file' && Buffer.from(entry.bytes).toString()).toMatch(body);
  }
  const fresh = `${servers.cloud.davUrl}calendars/alice/Fresh/`;
  const event = { 'if-none-match': '*', 'content-type': 'text/calendar' };
  expect((await ask('MKCALENDAR', fresh, {}, '<mkcalendar/>')).status).toBe(201);
  expect((await ask('MKCALENDAR', fresh, {}, '<mkcalendar/>')).status).toBe(405);
  expect((await ask('PUT', `${fresh}a.ics`, event, 'BEGIN')).status).toBe(201);
  expect((await ask('DELETE', fresh)).status).toBe(204);
  const book = `${servers.cloud.davUrl}contacts/alice/Fresh/`;
  expect((await ask('MKCOL', book, {}, '<mkcol/>')).status).toBe(201);
  expect((await ask('DELETE', book)).status).toBe(204);
  expect((await ask('MKCALENDAR', at('alice/Fresh/'))).status).toBe(403);
  bearer = await servers.accessToken(bob);
  const path = `${servers.cloud.davUrl}calendars/alice/`;
  expect((await ask('PROPFIND', path, { depth: '0' })).status).toBe(403);
  expect((await ask('PROPFIND', `${servers.cloud.davUrl}principals/alice/`, { depth: '0' })).status).toBe(403);
});

test('mail is read with a token of its owner alone, and what is received is there', async () => {
  const { cloud } = servers;
  const urlOf = ({ subject, username }: Person) =>
    urlOfPerson(cloud.mailUrl, { subject, claims: { preferred_username: username } });
  const of = (person: Person) => openMail(urlOf(person), { access: accessOf(token) });
  const inboxOf = async (source: Source) => {
    const mailboxes = await source.list(await rootOf(source), never);
    expect(mailboxes.members.map(({ name }) => name)).toEqual(['INBOX', 'Sent', 'Archive']);
    return source.list(memberNamed(mailboxes, 'INBOX'), never);
  };
  await using source = of(alice);
  const { members } = await inboxOf(source);
  const messages = members.filter(({ name }) => name.endsWith('.eml'));
  const held = cloud.mailboxes('alice').get('INBOX')?.messages ?? [];
  expect(held.length).toBeGreaterThan(10);
  for (const [at, message] of messages.entries())
    expect(await contentOf(await source.open(message, never))).toEqual(held[at]?.content);
  await using browser = openBrowser();
  const page = await browser.open(`${cloud.url}/people/alice`);
  expect((await browser.submit(page, { button: 'Receive a message' })).text).toMatch(/Received “New at /);
  await using again = of(alice);
  expect((await inboxOf(again)).members).toHaveLength(members.length + 1);
  await using ofBob = of(bob);
  await expect(ofBob.roots(never)).rejects.toMatchObject({ code: 'source/unauthorized' });
});

test('the page shows everybody’s files without a sign-in, and its buttons change something', async () => {
  await using browser = openBrowser();
  const front = await browser.open(servers.cloud.url);
  expect(front.text).toContain('Alice Liddell');
  expect(front.text).toContain('Bob Marlow');
  const before = servers.cloud.contents('bob');
  let page = await browser.open(`${servers.cloud.url}/people/bob`);
  page = await browser.submit(page, { button: 'Add a file' });
  expect(page.text).toMatch(/Added “New at .*\.md”/);
  expect(servers.cloud.contents('bob').size).toBe(before.size + 1);
  page = await browser.submit(page, { button: 'Delete a file' });
  const events = servers.cloud.contents('bob', 'calendars').size;
  page = await browser.submit(page, { button: 'Add an event' });
  expect(page.text).toMatch(/Added the event “New at /);
  expect(servers.cloud.contents('bob', 'calendars').size).toBe(events + 1);
  page = await browser.submit(page, { button: 'Edit a note' });
  const [, note = ''] = /Edited “(.*?)”/.exec(page.text) ?? [];
  const text = servers.cloud.contents('bob').get(`Notes/${note}`);
  expect(text?.kind === 'file' && new TextDecoder().decode(text.bytes)).toContain('Edited at ');
  expect(servers.cloud.contents('bob').size).toBe(before.size);
  const odd = await browser.open(`${servers.cloud.url}/people/alice?in=Odd+names`);
  expect(odd.text).toContain('&lt;angle&gt; &amp; ampersand;.txt');
});

test('another site, or another name for this host, cannot press the buttons', async () => {
  const press = (headers: Record<string, string>) =>
    ask(
      'POST',
      `${servers.cloud.url}/people/alice/change`,
      { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      'change=delete',
    );
  const before = servers.cloud.contents('alice').size;
  expect((await press({ origin: 'https://evil.example' })).status).toBe(403);
  expect((await press({})).status).toBe(403);
  expect(servers.cloud.contents('alice').size).toBe(before);
});

test('the cloud counts requests, and can be taken down', async () => {
  const before = servers.cloud.requests().PROPFIND ?? 0;
  await list('alice/');
  expect(servers.cloud.requests().PROPFIND).toBe(before + 1);
  await servers.cloud.down();
  await expect(list('alice/')).rejects.toThrow();
  const url = servers.cloud.mailUrl.replace('{preferred_username}', 'alice');
  const greeted = async () => (await inspectMailServer(url, systemClock())).fault === undefined;
  expect(await greeted()).toBe(false);
  await servers.cloud.up();
  await list('alice/');
  expect(await greeted()).toBe(true);
});

test('no two people of the demo share a name', () => {
  expect(new Set(people.flatMap(({ username, subject }) => [username, subject])).size).toBe(people.length * 2);
});
