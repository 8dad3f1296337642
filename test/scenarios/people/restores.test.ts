import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writable } from '../../../demo/mail/imap.ts';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { textsFor } from '../../../src/web/texts/languages.ts';
import { type Folder, writeSnapshot } from '../../support/fixtures/repository.ts';
import { eventually } from '../../support/harness/nightkeep.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { type ImapServer, startImapServer } from '../../support/servers/imap-server.ts';

const t = texts.restores;

/** A server that takes whatever is written, unless `refuse` names a status for it. */
interface TakingServer extends AsyncDisposable {
  readonly url: string;
  readonly heard: {
    method: string;
    path: string;
    body: string;
    token: string | undefined;
    mtime: string;
    type: string | undefined;
    status?: number;
  }[];
  /** What a folder lists, by the paths and lengths of the files in it. */
  listing: (folder: string, files: readonly (readonly [string, number])[]) => string;
  refuse: (method: string, path: string, headers: { unlessThere: boolean }) => number | undefined;
  /** What a GET finds, by path; else there is nothing. */
  readonly there: Map<string, Buffer>;
  /** Which requests are never answered. */
  hold: (method: string) => boolean;
  /** The Retry-After of each refusal. */
  pause: string | undefined;
}

/** Names where calendars and address books are. */
const homes = `<multistatus xmlns="DAV:"><response><href>/dav/me/</href><propstat><prop><resourcetype><collection/></resourcetype>
  <c:calendar-home-set xmlns:c="urn:ietf:params:xml:ns:caldav"><href>/dav/cal/</href></c:calendar-home-set>
  <c:addressbook-home-set xmlns:c="urn:ietf:params:xml:ns:carddav"><href>/dav/card/</href></c:addressbook-home-set>
  </prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`;

function honest(folder: string, files: readonly (readonly [string, number])[]): string {
  const one = (href: string, properties: string) =>
    `<response><href>${href}</href><propstat><prop>${properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>`;
  const members = files.map(([path, size]) =>
    one(encodeURI(path), `<resourcetype/><getcontentlength>${size}</getcontentlength>`),
  );
  return `<multistatus xmlns="DAV:">${one(folder, '<resourcetype><collection/></resourcetype>')}${members.join('')}</multistatus>`;
}

async function openTakingServer(): Promise<TakingServer> {
  const taking: {
    -readonly [Name in 'heard' | 'listing' | 'refuse' | 'there' | 'hold' | 'pause']: TakingServer[Name];
  } = {
    heard: [],
    listing: honest,
    refuse: () => undefined,
    there: new Map(),
    hold: () => false,
    pause: undefined,
  };
  const server: Server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const token = headers.authorization;
    const heard: TakingServer['heard'][number] = {
      method,
      path,
      body: Buffer.concat(chunks).toString(),
      token,
      mtime: String(headers['x-oc-mtime']),
      type: headers['content-type'],
    };
    taking.heard.push(heard);
    if (taking.hold(method)) return;
    if (method === 'PROPFIND' && path === '/dav/me/') {
      response.writeHead(207, { 'content-type': 'application/xml' }).end(homes);
      return;
    }
    if (method === 'PROPFIND') {
      const within = decodeURIComponent(path);
      const kept = taking.heard.filter((one) => one.method === 'PUT' && one.status === 201);
      const sizes = new Map(kept.map((one) => [decodeURIComponent(one.path), Buffer.byteLength(one.body)]));
      for (const [name, bytes] of taking.there) sizes.set(name, bytes.length);
      const inside = [...sizes].filter(([name]) => name.slice(0, name.lastIndexOf('/') + 1) === within);
      const status = taking.refuse(method, within, { unlessThere: false }) ?? 207;
      response.writeHead(status, { 'content-type': 'application/xml' }).end(taking.listing(path, inside));
      return;
    }
    if (method === 'GET') {
      const found = taking.there.get(decodeURIComponent(path));
      response.writeHead(found === undefined ? 404 : 200, { 'content-length': found?.length ?? 0 }).end(found);
      return;
    }
    const unlessThere = headers['if-none-match'] === '*';
    const refused = taking.refuse(method, decodeURIComponent(path), { unlessThere });
    const pause = refused === undefined || taking.pause === undefined ? {} : { 'retry-after': taking.pause };
    heard.status = refused ?? 201;
    response.writeHead(heard.status, pause).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/dav/`;
  return Object.assign(taking, {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

let pages: Pages;
let server: TakingServer;
let alice: SignedIn;
let repository: Repository;
let snapshot: string;
beforeAll(async () => {
  pages = await openPages();
  server = await openTakingServer();
  Object.assign(pages.resources.config, { filesUrl: server.url });
});
afterAll(async () => {
  await pages.resources.background[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await pages[Symbol.asyncDispose]();
});
beforeEach(async () => {
  alice = await pages.consented();
  const folder = {
    'a b.txt': Buffer.from('first'),
    'two.txt': Buffer.from('second'),
    inner: { ü: Buffer.from('third') },
  };
  repository = await addRepository(pages, alice);
  snapshot = (
    await writeSnapshot(repository, {
      files: { Letters: folder },
      calendars: {
        work: { 'one.ics': Buffer.from('BEGIN'), 'properties.json': Buffer.from(JSON.stringify(ofWork)) },
        plain: { 'two.ics': Buffer.from('BEGIN two') },
      },
      contacts: { friends: { 'mum.vcf': Buffer.from('VCARD'), 'properties.json': Buffer.from('no JSON') } },
    })
  ).id;
  server.heard.splice(0);
});
afterEach(() => {
  server.refuse = () => undefined;
  server.there.clear();
  server.listing = honest;
  server.hold = () => false;
  server.pause = undefined;
});

const ofWork = { displayname: 'Work <& more>', 'supported-calendar-component-set': ['VEVENT', 'VTODO'] };
/** One more snapshot, of these files. */
const another = async (files: Folder) => (await writeSnapshot(repository, { files }, '2026-03-05T00:00:00Z')).id;
const ask = (path: string, guest = alice) => guest.post(`/snapshots/${snapshot}/restore/${path}`);
/** Asks, says yes at the provider, and waits for its end; gives what the page says then. */
async function putBack(path: string): Promise<string> {
  await ask(path);
  const page = (await alice.comeBack()).headers.get('location') ?? '';
  const running = Object.values(t.states).map((states) => states.running);
  await eventually(async () => {
    const shown = await alice.text(page);
    return !running.some((words) => shown.includes(words));
  });
  return alice.text(page);
}
const written = () =>
  server.heard
    .filter(({ method }) => method !== 'PROPFIND')
    .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);
/** Does it where nobody waits for a pause: the clock moves on by each, and stands still while work is done, however long that takes. */
async function withoutPauses<T>(work: () => Promise<T>): Promise<T> {
  using _sleep = vi.spyOn(pages.clock, 'sleep').mockImplementation((ms) => pages.clock.advance(ms));
  return await work();
}
const folder = '/dav/Restored 2026-05-04 12.00';
const german = textsFor({ person: 'de' });
/** The page of the person's restore, once they have chosen German. */
async function inGerman(): Promise<string> {
  const userId = await alice.userId();
  const { id } = await pages.resources.database.restore.findFirstOrThrow({ where: { userId } });
  await alice.post('/language', { language: 'de' });
  return alice.text(`/restores/${id}`);
}
/** What a page in German has of a message in English. */
const quoted = (message: string) => `<span class="soft">(<span lang="en"><bdi>${message}</bdi></span>)</span>`;

describe('putting back', () => {
  it('says first what it means and how much it is, and asks the provider without offline access', async () => {
    const page = await alice.text(`/snapshots/${snapshot}/restore/files/Letters`);
    for (const said of [t.lead.files, t.access, t.notKept, t.sizeOf.files(3, '16 bytes')]) expect(page).toContain(said);
    const { searchParams } = new URL((await ask('files/Letters')).headers.get('location') ?? '');
    expect(searchParams.get('scope')).toBe('openid profile email');
    expect(server.heard).toEqual([]);
  });

  it('writes a folder into a new one, with the access of that moment and the times of the files', async () => {
    expect(await putBack('files/Letters')).toContain(t.states.files.succeeded);
    expect(written()).toEqual([
      `MKCOL ${folder}/`,
      `MKCOL ${folder}/Letters/`,
      `PUT ${folder}/Letters/a b.txt`,
      `PUT ${folder}/Letters/two.txt`,
      `MKCOL ${folder}/Letters/inner/`,
      `PUT ${folder}/Letters/inner/ü`,
    ]);
    expect(new Set(server.heard.map(({ token }) => token)).size).toBe(1);
    expect(server.heard.filter(({ method }) => method === 'PUT')).toMatchObject([
      { body: 'first', mtime: '1767323045' },
      { body: 'second' },
      { body: 'third' },
    ]);
    const { audit } = pages.resources.database;
    const entry = await audit.findFirstOrThrow({ where: { userId: await alice.userId(), act: 'files-restored' } });
    expect(entry.about).toBe(`snapshot ${snapshot.slice(0, 8)} to the source`);
  });

  it('of a calendar writes its objects as files, and says so before: no calendar is changed', async () => {
    expect(await alice.text(`/snapshots/${snapshot}/restore/calendars/work`)).toContain(t.asFiles);
    expect(await alice.text(`/snapshots/${snapshot}/restore/files/Letters`)).not.toContain(t.asFiles);
    expect(await putBack('calendars/work')).toContain(t.states.files.succeeded);
    expect(written()).toEqual([
      `MKCOL ${folder}/`,
      `MKCOL ${folder}/work/`,
      `PUT ${folder}/work/one.ics`,
      `PUT ${folder}/work/properties.json`,
    ]);
  });

  describe('where the settings say where calendars and contacts are', () => {
    beforeEach(() => {
      Object.assign(pages.resources.config, { calendarsUrl: `${server.url}me/`, contactsUrl: `${server.url}me/` });
    });
    afterEach(() => {
      const { config } = pages.resources;
      delete config.calendarsUrl;
      delete config.contactsUrl;
    });
    const name = 'Restored 2026-05-04 12.00';

    it('makes a new calendar of one, like it, and writes its objects into that', async () => {
      const before = await alice.text(`/snapshots/${snapshot}/restore/calendars/work`);
      for (const said of [t.lead.calendars, t.newName.calendars]) expect(before).toContain(said);
      expect(before).not.toContain(t.asFiles);
      // What Nightkeep keeps beside them is no entry, and not written as one.
      expect(before).toContain(t.sizeOf.calendars(1, '5 bytes'));
      const page = await putBack('calendars/work');
      expect(page).toContain(t.states.calendars.succeeded);
      expect(page).toContain(`<dt>${t.folder.calendars}</dt><dd><bdi>${name} (Work &lt;& more&gt;)</bdi></dd>`);
      expect(page).toContain(`<dt>${t.written.calendars}</dt><dd>1${t.of('1')}</dd>`);
      expect(page).toContain(`<dt>${t.bytes}</dt><dd>5 bytes</dd>`);
      expect(written()).toEqual([`MKCALENDAR /dav/cal/${name}/`, `PUT /dav/cal/${name}/one.ics`]);
      const [made, put] = server.heard.filter(({ method }) => method !== 'PROPFIND');
      expect(made?.body).toContain(`<displayname>${name} (Work &lt;&amp; more&gt;)</displayname>`);
      expect(made?.body).toContain('<c:comp name="VEVENT"/><c:comp name="VTODO"/>');
      expect(put).toMatchObject({ body: 'BEGIN', type: 'text/calendar; charset=utf-8' });
    });

    it.each([
      ['calendars/plain', 'MKCALENDAR', '/dav/cal/', 'plain', 'two.ics'],
      ['calendars/work/one.ics', 'MKCALENDAR', '/dav/cal/', 'Work &lt;&amp; more&gt;', 'one.ics'],
      ['contacts/friends', 'MKCOL', '/dav/card/', 'friends', 'mum.vcf'],
      ['contacts/friends/mum.vcf', 'MKCOL', '/dav/card/', 'friends', 'mum.vcf'],
    ])('makes a new one of %s, named after it', async (path, method, home, displayName, object) => {
      await putBack(path);
      expect(written()).toEqual([`${method} ${home}${name}/`, `PUT ${home}${name}/${object}`]);
      const made = server.heard.find((one) => one.method === method);
      expect(made?.body).toContain(`<displayname>${name} (${displayName})</displayname>`);
    });

    it('puts on record no more of a hostile name than a database and a page can hold', async () => {
      const named = { 'properties.json': Buffer.from(JSON.stringify({ displayname: `A\0${'b'.repeat(90_000)}` })) };
      snapshot = (await writeSnapshot(repository, { calendars: { odd: named } }, '2026-03-06T00:00:00Z')).id;
      const page = await putBack('calendars/odd');
      expect(page).toContain(t.states.calendars.succeeded);
      expect(page).toMatch(new RegExp(`<bdi>${name} \\(A\\\\[^<]{100,180}</bdi>`));
    });

    it.each(['calendars', 'contacts', 'calendars/work/properties.json'])(
      'writes files of %j, and says so before',
      async (path) => {
        const before = await alice.text(`/snapshots/${snapshot}/restore/${path}`);
        for (const said of [t.titleAsFiles, t.asFiles, t.byItself]) expect(before).toContain(said);
        await putBack(path);
        expect(written()[0]).toBe(`MKCOL ${folder}/`);
        expect(written().filter((request) => !request.includes(folder))).toEqual([]);
      },
    );

    it('never writes into a calendar that is there, nor says what it may hold where the server forbids that', async () => {
      const there = (path: string) => path === `/dav/cal/${name}/`;
      server.refuse = (method, path) => (method !== 'MKCALENDAR' ? undefined : there(path) ? 405 : undefined);
      await putBack('calendars/work');
      expect(written().at(-1)).toBe(`PUT /dav/cal/${name} (2)/one.ics`);
      server.heard.splice(0);
      server.refuse = (method) =>
        method === 'MKCALENDAR' && server.heard.at(-1)?.body.includes('component-set') ? 403 : undefined;
      expect(await putBack('calendars/work')).toContain(t.states.calendars.succeeded);
      expect(written()).toHaveLength(3);
    });

    it('writes objects under names that every server takes for such, and all others under their own', async () => {
      const long = `${'x'.repeat(300)}.ics`;
      const names = ['a@b-c.ics', long, 'no ending', 'ü.ics', 'a%2Fb.ics', '../up.ics'.replace('/', '_')];
      const objects = Object.fromEntries(names.map((one) => [one, Buffer.from(`BEGIN ${one.slice(-9)}`)]));
      snapshot = (await writeSnapshot(repository, { calendars: { odd: objects } }, '2026-03-05T00:00:00Z')).id;
      expect(await putBack('calendars/odd')).toContain(t.states.calendars.succeeded);
      const puts = server.heard.filter(({ method }) => method === 'PUT');
      expect(puts.map(({ body }) => body).toSorted()).toEqual(Object.values(objects).map(String).toSorted());
      const written = puts.map(({ path }) => decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)));
      expect(written.filter((one) => names.includes(one)).toSorted()).toEqual(['.._up.ics', 'a@b-c.ics', 'ü.ics']);
      expect(written.filter((one) => /^[0-9a-f]{32}\.ics$/.test(one))).toHaveLength(3);
      expect(new Set(written).size).toBe(names.length);
    });

    it('writes nothing where the server lets nobody make a calendar', async () => {
      server.refuse = (method) => (method === 'MKCALENDAR' ? 403 : undefined);
      const page = await putBack('calendars/work');
      for (const said of [t.failedBefore, 'The server does not let Nightkeep write there'])
        expect(page).toContain(said);
      expect(written().filter((request) => request.startsWith('PUT'))).toEqual([]);
    });
  });

  describe('where the settings say where mail is', () => {
    const name = 'Restored 2026-05-04 12.00';
    const receivedAt = '2026-01-02T03:04:05.000Z';
    const record = (of: string, messages: object) =>
      Buffer.from(JSON.stringify({ name: of, delimiter: '/', uidValidity: '7', messages }));
    const mail = {
      INBOX: {
        '2026-01-02 Hello [1].eml': Buffer.from('Message-ID: <1@x>\r\n\r\nHello.\r\n'),
        '2026-01-02 Twice [2].eml': Buffer.from('Twice.\r\n'),
        '2026-01-02 Twice [3].eml': Buffer.from('Twice.\r\n'),
        'mailbox.json': record('INBOX', {
          1: { receivedAt, flags: ['\\Seen', '$Work'] },
          2: { receivedAt: '2026-01-03T03:04:05.000Z', flags: [] },
          3: { receivedAt: '2026-01-03T03:04:05.000Z', flags: [] },
        }),
      },
      Work: {
        'Pläne_neu [0a1b2c3d]': {
          '2026-01-02 Plan [9].eml': Buffer.from('Plan\r\n'),
          'mailbox.json': record('Work/Pläne\\neu', { 9: { receivedAt, flags: ['\\Flagged'] } }),
        },
      },
      Lost: { '2026-01-02 Odd [4].eml': Buffer.from('Odd\r\n'), 'mailbox.json': Buffer.from('no JSON') },
    };
    let imap: ImapServer;
    beforeAll(async () => {
      imap = await startImapServer();
    });
    afterAll(() => imap[Symbol.asyncDispose]());
    beforeEach(async () => {
      imap.mailboxes.clear();
      imap.capabilities = writable;
      imap.refuse = () => undefined;
      imap.mischief = () => undefined;
      imap.tokens = undefined;
      imap.heard.splice(0);
      imap.put('INBOX', 'mine');
      Object.assign(pages.resources.config, { mailUrl: imap.url });
      snapshot = (
        await writeSnapshot(repository, { files: { 'a.txt': Buffer.from('a') }, mail }, '2026-03-06T00:00:00Z')
      ).id;
    });
    afterEach(() => {
      delete pages.resources.config.mailUrl;
    });
    const held = () =>
      [...imap.mailboxes]
        .filter(([path]) => path !== 'INBOX')
        .flatMap(([path, { messages }]) => messages.map(({ content, flags }) => `${path}: ${content} ${flags}`))
        .map((line) => line.replaceAll('\r\n', ' '))
        .toSorted();
    const changing = /^(CREATE|SUBSCRIBE|APPEND|SELECT|DELETE|RENAME|UID STORE|STORE|EXPUNGE|UID EXPUNGE|UID MOVE)$/;
    const all = [
      `${name}/INBOX: Message-ID: <1@x>  Hello.  \\Seen,$Work`,
      `${name}/INBOX: Twice.  `,
      `${name}/INBOX: Twice.  `,
      `${name}/Lost: Odd  `,
      `${name}/Work/Pl&AOQ-ne\\neu: Plan  \\Flagged`,
    ].toSorted();
    /** Continues what the page is about, as its button does. */
    const goOn = async (page: string) => {
      const [, action = ''] = /action="([^"]*\?after=[^"]*)"/.exec(await alice.text(page)) ?? [];
      await alice.post(action);
      return (await alice.comeBack()).headers.get('location') ?? '';
    };
    const over = async (page: string) => {
      await eventually(async () => !(await alice.text(page)).includes(t.states.mail.running));
      return alice.text(page);
    };
    /** Asks, says yes at the provider, and waits for its end; the page. */
    const putMailBack = async (path: string) => {
      await ask(path);
      const page = (await alice.comeBack()).headers.get('location') ?? '';
      await over(page);
      return page;
    };

    it('makes new mailboxes like those of the snapshot, with flags and times, and touches none that is there', async () => {
      const before = await alice.text(`/snapshots/${snapshot}/restore/mail`);
      for (const said of [t.lead.mail, t.newName.mail]) expect(before).toContain(said);
      expect(before).not.toContain(t.asFiles);
      // Five messages; what Nightkeep keeps beside them is none.
      expect(before).toContain(t.sizeOf.mail(5, '56 bytes'));
      const page = await alice.text(await putMailBack('mail'));
      for (const said of [t.folder.mail, name]) expect(page).toContain(said);
      expect(page).toContain(`<dt>${t.written.mail}</dt><dd>5${t.of('5')}</dd>`);
      expect(page).toContain(t.withoutFlags);
      expect(page).not.toContain(t.states.mail.succeeded);
      expect(page).not.toContain(t.problems('1'));
      expect(page).not.toContain(t.continue);
      expect(page).toContain('without flags, since no mailbox.json in the snapshot says which they had: 1 message.');
      expect(held()).toEqual(all);
      expect([...imap.mailboxes.keys()]).toEqual([
        'INBOX',
        name,
        ...['INBOX', 'Lost'].map((one) => `${name}/${one}`),
        `${name}/Work/Pl&AOQ-ne\\neu`,
      ]);
      expect(imap.mailboxes.get(`${name}/INBOX`)?.messages[0]?.receivedAt.toISOString()).toBe(receivedAt);
      expect(imap.mailboxes.get(`${name}/Lost`)?.messages[0]?.receivedAt.toISOString()).toBe(
        '2026-01-02T03:04:05.000Z',
      );
      for (const { name: command, arguments: of } of imap.heard) if (changing.test(command)) expect(of).toContain(name);
      expect(server.heard).toEqual([]);
      const { audit } = pages.resources.database;
      const entry = await audit.findFirstOrThrow({ where: { userId: await alice.userId(), act: 'files-restored' } });
      expect(entry.about).toBe(`snapshot ${snapshot.slice(0, 8)} to the source`);
    });

    it.each([
      ['mail/INBOX', all.filter((line) => line.startsWith(`${name}/INBOX:`))],
      ['mail/Work', all.filter((line) => line.startsWith(`${name}/Work`))],
      ['mail/Work/Pläne_neu [0a1b2c3d]', [`${name}/Pl&AOQ-ne\\neu: Plan  \\Flagged`]],
      ['mail/INBOX/2026-01-02 Hello [1].eml', [`${name}: Message-ID: <1@x>  Hello.  \\Seen,$Work`]],
    ])('of %s writes that alone', async (path, expected) => {
      const page = await alice.text(await putMailBack(path.split('/').map(encodeURIComponent).join('/')));
      expect(page).toContain(t.states.mail.succeeded);
      expect(page).not.toContain(t.continue);
      expect(held()).toEqual(expected);
    });

    it('continues in no mailbox that somebody who writes to the database names', async () => {
      imap.refuse = ({ content }) => (content.includes('Twice') ? 'OVERQUOTA' : undefined);
      const page = await putMailBack('mail/INBOX');
      imap.refuse = () => undefined;
      const { database } = pages.resources;
      for (const folder of ['INBOX', `Team ${name}`, `${name}/Work`]) {
        await database.restore.updateMany({ data: { folder } });
        const before = held();
        expect(await over(await goOn(page))).toContain('was made by no restore');
        expect(held()).toEqual(before);
        expect(imap.mailboxes.get('INBOX')?.messages).toHaveLength(1);
      }
      await database.restore.updateMany({ data: { folder: name } });
      expect(await over(await goOn(page))).toContain(t.states.mail.succeeded);
    });

    it('never writes into a mailbox that is there', async () => {
      imap.put(name, 'mine, too');
      await putMailBack('mail/Work');
      expect(imap.mailboxes.get(name)?.messages).toHaveLength(1);
      expect(held()).toContain(`${name} (2)/Work/Pl&AOQ-ne\\neu: Plan  \\Flagged`);
    });

    it.each(['', 'mail/INBOX/mailbox.json'])('writes files of %j', async (path) => {
      await putBack(path);
      expect(written()[0]).toBe(`MKCOL ${folder}/`);
      expect(held()).toEqual([]);
    });

    it('says before what is written as files, and how it becomes mail', async () => {
      const before = await alice.text(`/snapshots/${snapshot}/restore/mail/INBOX/mailbox.json`);
      for (const said of [t.titleAsFiles, t.asFiles, t.mailByItself]) expect(before).toContain(said);
      expect(before).not.toContain(t.byItself);
    });

    it('names a message that the server refuses, and mailboxes without some flags, and writes the rest', async () => {
      imap.refuse = ({ content, flags }) =>
        content.includes('Plan') ? 'TOOBIG' : flags.includes('$Work') ? 'LIMIT' : undefined;
      const page = await alice.text(await putMailBack('mail'));
      expect(page).toContain(t.states.mail.partial);
      expect(page).toContain('it is longer than the mail server takes (NO TOOBIG)');
      expect(page).toContain(t.problems('1'));
      expect(page).toContain('without flags that the mail server does not keep there: $Work (1 message)');
      expect(page).toContain(`<dt>${t.written.mail}</dt><dd>4${t.of('5')}</dd>`);
      expect(held()).toHaveLength(4);
    });

    it.each([
      ['mail/INBOX', 'LIMIT', '$Work (1 message)'],
      ['mail/Lost/2026-01-02%20Odd%20[4].eml', undefined, 'since no mailbox.json in the snapshot says'],
    ])(
      'says of %s that all of it is written, without some flags, and not that something is missing',
      async (path, refusal, why) => {
        imap.refuse = ({ flags }) => (flags.includes('$Work') ? refusal : undefined);
        const address = await putMailBack(path);
        const page = await alice.text(address);
        for (const said of [t.withoutFlags, t.notes, why]) expect(page).toContain(said);
        for (const said of [t.states.mail.partial, t.states.mail.succeeded, t.problems('1'), t.continue])
          expect(page).not.toContain(said);
        const id = address.slice('/restores/'.length);
        expect(await pages.resources.database.restore.findUniqueOrThrow({ where: { id } })).toMatchObject({
          state: 'succeeded',
          problemCount: 0,
        });
      },
    );

    it('writes nothing where the server lets nobody make a mailbox', async () => {
      imap.mischief = ({ name: command }, tag, socket) =>
        command === 'CREATE' && socket.write(`${tag} NO [NOPERM] No.\r\n`);
      const page = await alice.text(await putMailBack('mail'));
      for (const said of [t.failedBefore, 'The server does not let Nightkeep write there'])
        expect(page).toContain(said);
      expect(page).not.toContain(t.continue);
      expect(held()).toEqual([]);
    });

    it('stops where there is no room left, and is continued in the same mailbox: nothing is there twice', async () => {
      imap.refuse = () => 'OVERQUOTA';
      const page = await putMailBack('mail');
      for (const said of [t.states.mail.failed, 'The mail server has no room left', t.continues])
        expect(await alice.text(page)).toContain(said);
      imap.refuse = ({ content }) => (content.includes('Plan') ? 'OVERQUOTA' : undefined);
      const second = await goOn(page);
      expect(await over(second)).toContain('has no room left for this person (NO OVERQUOTA)');
      expect(held()).toEqual(all.filter((line) => !line.includes('Plan')));
      imap.refuse = () => undefined;
      await over(await goOn(second));
      expect(held()).toEqual(all);
      await over(await goOn(page));
      expect(held()).toEqual(all);
    });

    it('is continued where its process went away, and that stops if it comes back', async () => {
      imap.refuse = () => 'OVERQUOTA';
      const page = await putMailBack('mail/INBOX');
      imap.refuse = () => undefined;
      const id = page.slice('/restores/'.length);
      const { restore } = pages.resources.database;
      const toldAt = new Date(pages.clock.now().getTime() - 61_000);
      await restore.update({ where: { id }, data: { state: 'running', toldAt, finishedAt: null } });
      expect(await over(await goOn(page))).toContain(t.states.mail.succeeded);
      expect((await restore.findUniqueOrThrow({ where: { id } })).cancelledAt).not.toBeNull();
      expect(held()).toEqual(all.filter((line) => line.startsWith(`${name}/INBOX:`)));
    });

    it('is continued once, though two tabs ask for it at once', async () => {
      imap.refuse = () => 'OVERQUOTA';
      const page = await putMailBack('mail');
      const [, action = ''] = /action="([^"]*\?after=[^"]*)"/.exec(await alice.text(page)) ?? [];
      const ways: string[] = [];
      for (const _ of ['one', 'other']) {
        await alice.post(action);
        ways.push(alice.wayBack());
      }
      imap.refuse = () => undefined;
      const both = await Promise.all(ways.map(async (way) => (await alice.send(way)).headers.get('location') ?? ''));
      for (const one of both) await over(one);
      const said = await Promise.all(both.map((one) => alice.text(one)));
      expect(said.filter((one) => one.includes('Another restore was running.'))).toHaveLength(1);
      expect(held()).toEqual(all);
    });

    it('says what a hostile server made of it in words that a page and the database can hold', async () => {
      imap.mischief = ({ name: command }, _, socket) =>
        command === 'CREATE' && socket.end('* BYE gone\0\x1b[2J\r\n') !== undefined;
      const page = await withoutPauses(() => putMailBack('mail'));
      expect(await alice.text(page)).toContain('gone\\x00\\x1b[2J');
      expect(await alice.text(page)).toContain(t.failedBefore);
    });

    it('lets the name of a message turn the direction of nothing on the page that says what is not written', async () => {
      const held = { 'a\u202eb [1].txt': Buffer.from('x'), '1 [1].eml': Buffer.from('x') };
      snapshot = (await writeSnapshot(repository, { mail: { A: held } }, '2026-03-06T00:00:00Z')).id;
      const page = await alice.text(await putMailBack('mail/A'));
      expect(page).toContain('it is no message of a mailbox');
      expect(page).not.toContain('\u202e');
    });

    it('names flags that no server keeps in short, whatever is in them', async () => {
      const flags = [`\0\u202e${'x'.repeat(10_000)}`, ...Array.from({ length: 30 }, (_, n) => `a b${n}`)];
      const held = { '1 [1].eml': Buffer.from('One.\r\n'), 'mailbox.json': record('A', { 1: { receivedAt, flags } }) };
      snapshot = (await writeSnapshot(repository, { mail: { A: held } }, '2026-03-06T00:00:00Z')).id;
      const page = await alice.text(await putMailBack('mail/A'));
      expect(page).toContain(t.withoutFlags);
      expect(page).toContain('and 11 more');
      expect(page).toContain('without flags that the mail server does not keep there: \\x00');
      expect(page).not.toContain('x'.repeat(200));
      expect(page).not.toContain('\u202e');
    });

    it('is continued by its person alone, of the same part, and not while it runs', async () => {
      imap.refuse = () => 'OVERQUOTA';
      const page = await putMailBack('mail/INBOX');
      const after = `?after=${page.slice('/restores/'.length)}`;
      const bob = await pages.consented();
      expect((await ask(`mail/INBOX${after}`, bob)).status).toBe(404);
      const { id: bobs } = await writeSnapshot(await addRepository(pages, bob), { mail }, '2026-03-06T00:00:00Z');
      expect((await bob.post(`/snapshots/${bobs}/restore/mail/INBOX${after}`)).status).toBe(404);
      pages.atProvider = alice.person;
      for (const path of ['mail', 'mail/Work', 'files']) expect((await ask(`${path}${after}`)).status).toBe(404);
      expect((await ask('mail/INBOX?after=what')).status).toBe(404);
      expect((await ask(`mail/INBOX${after}`)).status).toBe(303);
    });

    it('says so where the access is refused and the provider gives no other', async () => {
      imap.tokens = new Set();
      const page = await alice.text(await putMailBack('mail/INBOX'));
      expect(page).toContain('The access that your provider gave for this restore has ended');
      expect(page).toContain(t.failedBefore);
    });

    it('says that it can be continued where the access ends in the middle, and is', async () => {
      imap.mischief = ({ name: command }, _, socket) => {
        if (command !== 'APPEND') return false;
        imap.tokens = new Set();
        socket.destroy();
        return true;
      };
      const page = await withoutPauses(() => putMailBack('mail/INBOX'));
      expect(await alice.text(page)).toContain('has ended. Continue it: what is written is not written again.');
      imap.mischief = () => undefined;
      imap.tokens = undefined;
      expect(await over(await goOn(page))).toContain(t.states.mail.succeeded);
      expect(held()).toEqual(all.filter((line) => line.startsWith(`${name}/INBOX:`)));
    });
  });

  it.each([
    ['files/Letters/two.txt', [`MKCOL ${folder}/`, `PUT ${folder}/two.txt`]],
    ['files', [`MKCOL ${folder}/`, `MKCOL ${folder}/Letters/`]],
    ['', [`MKCOL ${folder}/`]],
  ])('of %j writes below the new folder', async (path, first) => {
    await putBack(path);
    expect(written().slice(0, first.length)).toEqual(first);
  });

  it('never writes into a folder that is there', async () => {
    server.refuse = (method, path) => (method === 'MKCOL' && path === `${folder}/` ? 405 : undefined);
    expect(await putBack('files/Letters/two.txt')).toContain(t.states.files.succeeded);
    expect(written()).toEqual([`MKCOL ${folder}/`, `MKCOL ${folder} (2)/`, `PUT ${folder} (2)/two.txt`]);
  });

  it.each([403, 404, 413, 423 - 1, 400])(
    'names a file that the server refuses with %i, and writes the rest',
    async (status) => {
      server.refuse = (method, path) => (method === 'PUT' && path.endsWith('two.txt') ? status : undefined);
      const page = await putBack('files/Letters');
      expect(page).toContain(t.states.files.partial);
      expect(page).toContain(`the server does not accept it (HTTP ${status})`);
      expect(written()).toContain(`PUT ${folder}/Letters/inner/ü`);
    },
  );

  it.each([423, 500, 503])(
    'names a file that the server cannot take for now (%i), however often it is sent, and writes the rest',
    async (status) => {
      server.refuse = (method, path) => (method === 'PUT' && path.endsWith('two.txt') ? status : undefined);
      const page = await withoutPauses(() => putBack('files/Letters'));
      expect(page).toContain(t.states.files.partial);
      expect(page).toContain(`two.txt: the server does not accept it (HTTP ${status})`);
      expect(written()).toContain(`PUT ${folder}/Letters/inner/ü`);
    },
  );

  it('stops where the server can take nothing any more, and names what it did not take', async () => {
    server.refuse = (method, path) => (method === 'PUT' && path.endsWith('.txt') ? 503 : undefined);
    const many = Object.fromEntries([1, 2, 3, 4].map((number) => [`${number}.txt`, Buffer.from(String(number))]));
    snapshot = await another({ many });
    const page = await withoutPauses(() => putBack('files/many'));
    expect(page).toContain(t.states.files.failed);
    expect(page).toContain(t.problems('2'));
    expect(new Set(written().filter((request) => request.startsWith('PUT'))).size).toBe(3);
  });

  it.each([
    [429, 600],
    [503, 60],
  ])('waits for as long as the server asks for in the middle (%i), and goes on', async (status, seconds) => {
    let refusals = 0;
    server.pause = String(seconds);
    server.refuse = (method, path) =>
      method === 'PUT' && path.endsWith('two.txt') && refusals++ < 2 ? status : undefined;
    pages.atProvider = { ...alice.person, tokens: { expiresIn: 3_600 } };
    const since = pages.clock.now();
    expect(await withoutPauses(() => putBack('files/Letters'))).toContain(t.states.files.succeeded);
    expect(pages.clock.now().getTime() - since.getTime()).toBeGreaterThanOrEqual(2 * seconds * 1000);
    const puts = written().filter((request) => request.startsWith('PUT'));
    expect([puts.filter((request) => request.endsWith('/two.txt')).length, new Set(puts).size]).toEqual([3, 3]);
  });

  it('stops where the server asks for a longer pause than its access may last, and says so', async () => {
    server.pause = '3600';
    server.refuse = (method, path) => (method === 'PUT' && path.endsWith('two.txt') ? 429 : undefined);
    const page = await putBack('files/Letters');
    expect(page).toContain(t.states.files.failed);
    expect(page).toContain('The server asks for a pause of 60 minutes.');
  });

  it('sends a long file again where the server could not take it at once', async () => {
    const long = Buffer.alloc(5 * 1024 * 1024, 'long ');
    snapshot = await another({ 'long.bin': long });
    let tries = 0;
    server.refuse = (method) => (method === 'PUT' && ++tries < 3 ? 503 : undefined);
    expect(await withoutPauses(() => putBack('files/long.bin'))).toContain(t.states.files.succeeded);
    const sent = server.heard.filter(({ method }) => method === 'PUT').map(({ body }) => body === long.toString());
    expect(sent).toEqual([true, true, true]);
  });

  it('writes over nothing where the server takes two names for one', async () => {
    const twins = { 'Notes.txt': Buffer.from('large'), 'notes.txt': Buffer.from('small'), 'z.txt': Buffer.from('z') };
    snapshot = await another({ twins });
    const there = new Set<string>();
    server.refuse = (method, path, { unlessThere }) => {
      if (method === 'PUT' && unlessThere && there.has(path.toLowerCase())) return 412;
      there.add(path.toLowerCase());
      return undefined;
    };
    const page = await putBack('files/twins');
    expect(page).toContain(t.states.files.partial);
    expect(page).toContain('notes.txt: something of that name is there already');
    expect(written().at(-1)).toMatch(/^PUT .*\/twins\/z\.txt$/);
  });

  describe.each([
    ['a short file', Buffer.from('second')],
    ['a long file', Buffer.alloc(5 * 1024 * 1024, 'long ')],
  ])('where the answer to %s was lost, and something of that name is there then', (_, content) => {
    /** The first try fails with 503, and there is that then, which is written over by nothing but a PUT without a condition. */
    async function lostThen(found: Buffer | undefined): Promise<string> {
      snapshot = await another({ 'two.txt': content, 'z.txt': Buffer.from('z') });
      let tries = 0;
      server.refuse = (method, path, { unlessThere }) => {
        if (method !== 'PUT' || !path.endsWith('/two.txt')) return undefined;
        if (!unlessThere) server.there.set(path, content);
        if (++tries > 1) return unlessThere ? 412 : 204;
        if (found !== undefined) server.there.set(path, found);
        return 503;
      };
      return withoutPauses(() => putBack('files'));
    }
    const puts = () => written().filter((request) => /^PUT .*two\.txt$/.test(request));

    it('it is written, if that is what was sent', async () => {
      expect(await lostThen(content)).toContain(t.states.files.succeeded);
      expect(puts()).toHaveLength(2);
    });

    it.each([
      ['is something else of the same length', Buffer.alloc(content.length, 'other')],
      ['is longer', Buffer.concat([content, Buffer.from('and more')])],
      ['is shorter', content.subarray(0, -1)],
      ['is empty', Buffer.of()],
      ['cannot be read', undefined],
    ])('that stays as it is, and is named, if it %s', async (_, found) => {
      const page = await lostThen(found);
      expect(page).toContain(t.states.files.partial);
      expect(page).toContain('two.txt: something of that name is there already');
      // Vitest would compare them byte by byte, which takes seconds.
      expect([...server.there.values()].map((one) => one.equals(found ?? Buffer.of()))).toEqual(
        found === undefined ? [] : [true],
      );
      expect(puts()).toHaveLength(2);
      expect(written().at(-1)).toMatch(/\/z\.txt$/);
    });
  });

  describe('what the server says that it has taken is held against what it lists then:', () => {
    const listing =
      (
        change: (files: readonly (readonly [string, number])[]) => (readonly [string, number])[],
      ): TakingServer['listing'] =>
      (at, files) =>
        honest(at, change(files));

    it.each<[string, TakingServer['listing'], string]>([
      [
        'a name that it changed',
        listing((files) => files.map(([path, size]) => [path.replace('two', '2'), size])),
        'does not list it',
      ],
      [
        'what it did not keep',
        listing((files) => files.filter(([path]) => !path.endsWith('two.txt'))),
        'does not list it',
      ],
      [
        'what it kept in part',
        listing((files) => files.map(([path, size]) => [path, path.endsWith('two.txt') ? size - 1 : size])),
        'lists less of it',
      ],
    ])('%s is named as not written', async (_, changed, why) => {
      server.listing = changed;
      const page = await putBack('files/Letters');
      expect(page).toContain(t.states.files.partial);
      expect(page).toContain(`Could not write two.txt: the server takes it, and ${why} afterwards`);
    });

    it.each([404, 200])('and all of a folder for which it has no listing then (%i)', async (status) => {
      server.refuse = (method, path) => (method === 'PROPFIND' && path.endsWith('/Letters/') ? status : undefined);
      const page = await putBack('files/Letters');
      expect(page).toContain(t.states.files.partial);
      expect(page).toContain(t.problems('2'));
    });

    it.each<[string, TakingServer['listing']]>([
      ['names in another Unicode form', listing((files) => files.map(([path, size]) => [path.normalize('NFD'), size]))],
      [
        'what is longer since the server adds something',
        listing((files) => files.map(([path, size]) => [path, size + 1])),
      ],
      ['a listing that is cut off', (at, files) => honest(at, files).replace('</href>', '&nbsp;</href>')],
    ])('%s is none', async (_, changed) => {
      server.listing = changed;
      expect(await putBack('files/Letters')).toContain(t.states.files.succeeded);
    });

    it('a calendar may give its objects names of its own, but not lose any', async () => {
      Object.assign(pages.resources.config, { calendarsUrl: `${server.url}me/` });
      try {
        server.listing = listing((files) => files.map(([path, size], at) => [`${path}-${at}`, size]));
        expect(await putBack('calendars/work')).toContain(t.states.calendars.succeeded);
        server.listing = listing(() => []);
        expect(await putBack('calendars/plain')).toContain(t.states.calendars.partial);
      } finally {
        Object.assign(pages.resources.config, { calendarsUrl: undefined });
      }
    });
  });

  it('names what no server of files can hold', async () => {
    const time = '2026-01-02T03:04:05Z';
    const times = { mtime: time, atime: time, ctime: time };
    const pipe = { name: 'pipe', type: 'fifo' as const, mode: 0o640, ...times, uid: 1, gid: 1, links: 1 };
    snapshot = await another({ mine: { pipe: { node: pipe }, 'z.txt': Buffer.from('z') } });
    const page = await putBack('files/mine');
    expect(page).toContain(t.states.files.partial);
    expect(page).toContain('Could not write pipe: the server has no devices, pipes or sockets.');
  });

  it.each([403, 501])('says so where the server answers %i to the new folder', async (status) => {
    server.refuse = () => status;
    const page = await putBack('files/Letters');
    expect(page).toContain(t.failedBefore);
    expect(page).not.toContain(t.states.files.failed);
    const message =
      'The server does not let Nightkeep write there, so nothing was restored. Download what you need instead.';
    expect(page).toContain(`<p class="capital"><bdi>${message}</bdi></p>`);
    expect(written()).toHaveLength(1);
    expect(await inGerman()).toContain(
      `<p class="capital">${german.problems['source/forbidden']} ${quoted(message)}</p>`,
    );
  });

  it('says in the language of the person why, and quotes what is in English', async () => {
    server.refuse = (_, path) => (path.endsWith('two.txt') ? 400 : undefined);
    const page = await putBack('files/Letters');
    const message = 'Could not write two.txt: the server does not accept it (HTTP 400).';
    expect(page).toContain(`<span><bdi>${message}</bdi></span>`);
    expect(await inGerman()).toContain(`<span>${german.problems['restore/not-written']} ${quoted(message)}</span>`);
  });

  it('stops where there is no room left', async () => {
    server.refuse = (method) => (method === 'PUT' ? 507 : undefined);
    const page = await putBack('files/Letters');
    expect(page).toContain(t.states.files.failed);
    expect(page).toContain('The server has no room left');
    expect(server.heard.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  it('stops where the access is refused and the provider gives no other', async () => {
    server.refuse = (method) => (method === 'PUT' ? 401 : undefined);
    expect(await putBack('files/Letters')).toContain('The access that your provider gave for this restore has ended');
  });

  it('is begun once, whatever the browser sends again', async () => {
    pages.atProvider = { ...alice.person, tokens: { refreshToken: 'for this once' } };
    await ask('files/Letters/two.txt');
    const back = alice.wayBack();
    const copied = new Map(alice.cookies);
    const page = (await alice.comeBack()).headers.get('location') ?? '';
    await eventually(async () => !(await alice.text(page)).includes(t.states.files.running));
    await alice.send(back);
    for (const [name, value] of copied) alice.cookies.set(name, value);
    await alice.send(back);
    await eventually(() => pages.revoked.filter((token) => token === 'for this once').length === 2);
    expect(written().filter((one) => one.startsWith('PUT'))).toHaveLength(1);
  });

  it.each(['first', 'last'])(
    'asked for in two tabs is begun in both, the one that was asked for %s coming back first',
    async (order) => {
      const asked = ['files/Letters/two.txt', 'files/Letters/a b.txt'];
      const ways: string[] = [];
      for (const path of asked) {
        await ask(path);
        ways.push(alice.wayBack());
      }
      for (const way of order === 'first' ? ways : ways.toReversed()) {
        const page = (await alice.send(way)).headers.get('location') ?? '';
        await eventually(async () => !(await alice.text(page)).includes(t.states.files.running));
        expect(await alice.text(page)).toContain(t.states.files.succeeded);
      }
      expect(written().filter((one) => one.startsWith('PUT'))).toHaveLength(2);
    },
  );

  it('that nobody came back with is forgotten by one that is asked for an hour later', async () => {
    await ask('files/Letters/two.txt');
    await pages.clock.advance(3_600_001);
    await alice.send('/login?returnTo=/');
    await alice.comeBack();
    await ask('files/Letters');
    expect(await pages.resources.database.restore.count({ where: { userId: await alice.userId() } })).toBe(1);
  });

  it('belongs to its person', async () => {
    const bob = await pages.consented();
    expect((await bob.send(`/snapshots/${snapshot}/restore/files`)).status).toBe(404);
    expect((await ask('files', bob)).status).toBe(404);
    pages.atProvider = alice.person;
    await ask('files/Letters');
    const page = (await alice.comeBack()).headers.get('location') ?? '';
    expect((await bob.send(page)).status).toBe(404);
    expect((await bob.post(`${page}/cancel`)).status).toBe(404);
  });

  it('takes no access of somebody else', async () => {
    const { person } = alice;
    await ask('files/Letters');
    pages.atProvider = { subject: 'somebody-else', roles: [] };
    expect((await alice.comeBack()).status).toBe(400);
    pages.atProvider = person;
    expect(server.heard).toEqual([]);
  });

  it('is not offered where the operator has turned it off', async () => {
    Object.assign(pages.resources.config, { filesWrite: 'off' });
    expect(await alice.text(`/snapshots/${snapshot}/browse/files`)).not.toContain(t.way);
    expect((await alice.send(`/snapshots/${snapshot}/restore/files`)).status).toBe(404);
    expect((await ask('files')).status).toBe(404);
    Object.assign(pages.resources.config, { filesWrite: 'on' });
    expect(await alice.text(`/snapshots/${snapshot}/browse/files`)).toContain(t.way);
  });

  it('of a process that went away is told as such', async () => {
    await ask('files/Letters');
    const { restore } = pages.resources.database;
    const { id } = await restore.findFirstOrThrow({ where: { userId: await alice.userId() } });
    const toldAt = new Date(pages.clock.now().getTime() - 61_000);
    await restore.update({ where: { id }, data: { state: 'running', startedAt: toldAt, toldAt } });
    expect(await alice.text(`/restores/${id}`)).toContain(t.states.files.lost);
  });

  it('stops when it is cancelled, and what was written stays', async () => {
    await ask('files/Letters');
    const { restore } = pages.resources.database;
    const { id } = await restore.findFirstOrThrow({ where: { userId: await alice.userId() } });
    await restore.update({ where: { id }, data: { state: 'running', toldAt: pages.clock.now() } });
    await alice.post(`/restores/${id}/cancel`);
    expect(await alice.text(`/restores/${id}`)).toContain(t.cancelling);
  });

  const state = async (userId: string) =>
    (await pages.resources.database.restore.findFirst({ where: { userId } }))?.state;
  /** Erases everything about Alice while the clock goes on, a little at a time. */
  async function eraseAlice() {
    let isDone = false;
    const begun = pages.clock.elapsed();
    const erasing = alice.post('/settings/erase', { word: texts.settings.erase.word }).finally(() => (isDone = true));
    await eventually(async () => {
      await pages.clock.advance(50);
      return isDone;
    });
    expect((await erasing).headers.get('location')).toMatch(/^\/erased\//);
    return pages.clock.elapsed() - begun;
  }

  it('has stopped once everything about the person is erased', async () => {
    const userId = await alice.userId();
    server.hold = (method) => method === 'PUT';
    await ask('files/Letters');
    await alice.comeBack();
    await eventually(() => written().some((request) => request.startsWith('PUT')));
    expect(await state(userId)).toBe('running');
    const ms = await eraseAlice();
    expect([await state(userId), ms >= 2000, ms < 10_000]).toEqual(['cancelled', true, true]);
    expect(written().filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  it('that does not stop is waited for ten seconds, and nothing of the person goes for good before it is silent', async () => {
    const userId = await alice.userId();
    const { database } = pages.resources;
    const at = pages.clock.now();
    const row = { userId, snapshotId: 'ab', path: '', askedAt: at, startedAt: at, toldAt: at };
    await database.restore.create({ data: { id: randomUUID(), state: 'running', ...row } });
    expect(await eraseAlice()).toBeGreaterThanOrEqual(10_000);
    await pages.clock.advance(40_000);
    await eraseRepositories(pages.resources);
    await finishErasedPeople(pages.resources);
    expect(await database.user.count({ where: { id: userId } })).toBe(1);
    await pages.clock.advance(20_000);
    await eraseRepositories(pages.resources);
    await finishErasedPeople(pages.resources);
    expect(await database.user.count({ where: { id: userId } })).toBe(0);
  });
});
