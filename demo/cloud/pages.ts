import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Clock } from '../../src/clock.ts';
import { texts } from '../../src/web/texts/en.ts';
import { mailboxIn, putInto } from '../mail/mailboxes.ts';
import { page, pageHeaders } from '../page.ts';
import type { Person } from '../people.ts';
import { event, message } from './content.ts';
import type { Belongings } from './shares.ts';
import { type CloudTree, type Path, sizeOf } from './tree.ts';

const site = { name: 'Demo cloud', sign: '☁️' };

/**
 * The pages of the cloud, without a sign-in: what everybody has there, and five buttons that change something for the
 * next night to back up. They answer to loopback names only, and accept forms from their own pages only.
 */
export function cloudPages(options: {
  origin: string;
  belongings: ReadonlyMap<string, Belongings>;
  people: readonly Person[];
  clock: Clock;
}): Hono {
  const { origin, belongings: all, people, clock } = options;
  const app = new Hono();
  app.use(async (context, next) => {
    const { host, protocol } = new URL(context.req.url);
    if (`${protocol}//${host}`.replace('localhost', '127.0.0.1') !== origin) return context.text('Not here.', 403);
    const from = context.req.header('origin');
    if (context.req.method === 'POST' && from?.replace('localhost', '127.0.0.1') !== origin)
      return context.text('Not from there.', 403);
    await next();
    for (const [name, value] of Object.entries(pageHeaders)) context.res.headers.set(name, value);
  });

  app.get('/', async (context) => {
    const rows = people.flatMap((person) => {
      const belongings = all.get(person.username);
      return belongings ? [{ person, ...countAll(belongings) }] : [];
    });
    return context.html(
      await page(
        site,
        'Who has what?',
        html`<p>All of this is made up. Nightkeep fetches it at night over WebDAV, CalDAV, CardDAV and IMAP, with a token that its owner allowed.</p>
<table><tr><th>Person</th><th class="number">Files</th><th class="number">Size</th><th class="number">Events</th><th class="number">Contacts</th><th class="number">Messages</th></tr>${rows.map(
          ({ person, files, bytes, events, contacts, messages }) =>
            html`<tr><td><a href="/people/${person.username}">${person.name}</a></td><td class="number">${files}</td><td class="number">${texts.formats.bytes(bytes)}</td><td class="number">${events}</td><td class="number">${contacts}</td><td class="number">${messages}</td></tr>`,
        )}</table>`,
      ),
    );
  });

  app.get('/people/:username', async (context) => {
    const person = people.find(({ username }) => username === context.req.param('username'));
    const belongings = person && all.get(person.username);
    const path = (context.req.query('in') ?? '').split('/').filter(Boolean);
    const folder = belongings?.files.find(path);
    if (!person || !belongings || folder?.kind !== 'folder') return context.text('There is no such folder.', 404);
    const { files, bytes, events, contacts, messages } = countAll(belongings);
    return context.html(
      await page(
        site,
        path.at(-1) ?? `${person.name}'s files`,
        html`
<p class="soft">${files} files, ${texts.formats.bytes(bytes)} in all; ${events} events, ${contacts} contacts and ${messages} messages. <a href="/">Everybody</a>${path.length > 0 ? html` · <a href="${linkTo(person, path.slice(0, -1))}">Up</a>` : ''}</p>
<form class="row" method="post" action="/people/${person.username}/change">
  <button class="main" name="change" value="edit">Edit a note</button>
  <button name="change" value="add">Add a file</button>
  <button name="change" value="delete">Delete a file</button>
  <button name="change" value="event">Add an event</button>
  <button name="change" value="message">Receive a message</button>
</form>
${context.req.query('did') ? html`<p role="status"><b>${context.req.query('did')}</b></p>` : ''}
<table><tr><th>Name</th><th>Changed</th><th class="number">Size</th></tr>${[...folder.children].map(
          ([name, node]) => html`<tr>
<td>${node.kind === 'folder' ? html`📁 <a href="${linkTo(person, [...path, name])}">${name}</a>` : name}</td>
<td>${node.modified.toISOString().slice(0, 16).replace('T', ' ')}</td><td class="number">${texts.formats.bytes(sizeOf(node))}</td></tr>`,
        )}</table>`,
      ),
    );
  });

  app.post('/people/:username/change', async (context) => {
    const username = context.req.param('username');
    const belongings = all.get(username);
    const { change } = await context.req.parseBody();
    if (!belongings) return context.text('There is no such person.', 404);
    const did = changeSomething(belongings, String(change), clock);
    if (did === undefined) return context.text('There is no such change.', 400);
    return context.redirect(`/people/${username}?${new URLSearchParams({ did, in: 'Notes' })}`, 303);
  });
  return app;
}

/** Makes one of three changes in Notes, or one in the calendar or in the inbox, and says what it did; undefined for an unknown change. */
function changeSomething(
  { files: tree, calendars, mail }: Belongings,
  change: string,
  clock: Clock,
): string | undefined {
  const now = clock.now().toISOString();
  const notes = tree.find(['Notes']);
  const files = notes?.kind === 'folder' ? [...notes.children].filter(([, node]) => node.kind === 'file') : [];
  const [name, node] = files[change === 'delete' ? files.length - 1 : 0] ?? [];
  const write = (path: Path, text: string) => tree.write(path, new TextEncoder().encode(text));
  if (change === 'add') {
    const fresh = `New at ${now.replaceAll(':', '.')}.md`;
    write(['Notes', fresh], `# New\n\nWritten at ${now}.\n`);
    return `Added “${fresh}”.`;
  }
  if (change === 'event') {
    const uid = `new-${now.replaceAll(/\D/g, '')}`;
    const lines = event(uid, `New at ${now}`, clock.now());
    calendars.write(['Personal', `${uid}.ics`], new TextEncoder().encode(`${lines.join('\r\n')}\r\n`));
    return `Added the event “New at ${now}”.`;
  }
  if (change === 'message') {
    const writer = { name: 'Demo cloud', email: 'cloud@demo.example' };
    const subject = `New at ${now}`;
    const text = `Written at ${now}.\n`;
    const content = message({ from: writer, to: writer, subject, sentAt: clock.now(), text });
    putInto(mailboxIn(mail, 'INBOX'), content, { receivedAt: clock.now() });
    return `Received “${subject}”.`;
  }
  if (change !== 'edit' && change !== 'delete') return undefined;
  if (name === undefined || node?.kind !== 'file') return 'There is no note left; add a file first.';
  if (change === 'delete') {
    tree.remove(['Notes', name]);
    return `Deleted “${name}”.`;
  }
  write(['Notes', name], `${new TextDecoder().decode(node.bytes)}\nEdited at ${now}.\n`);
  return `Edited “${name}”.`;
}

function countAll({ files, calendars, contacts, mail }: Belongings) {
  const messages = mail.values().reduce((sum, mailbox) => sum + mailbox.messages.length, 0);
  return { ...count(files), events: count(calendars).files, contacts: count(contacts).files, messages };
}

function count(tree: CloudTree): { files: number; bytes: number } {
  let files = 0;
  for (const { node } of tree.walk()) if (node.kind === 'file') files += 1;
  return { files, bytes: sizeOf(tree.root) };
}

function linkTo(person: Person, path: Path): string {
  return `/people/${person.username}?${new URLSearchParams({ in: path.join('/') })}`;
}
