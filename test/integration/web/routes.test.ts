import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { askForRestore } from '../../../src/database/repositories/restores.ts';
import { purposes } from '../../../src/vault/purposes.ts';
import { seal } from '../../../src/vault/seal.ts';
import { createApp } from '../../../src/web/app.ts';
import { routes } from '../../../src/web/routes.ts';
import { everyRow } from '../../support/fixtures/every-row.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { textOf } from '../../support/fixtures/text-of.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';

/** What addresses and forms may name. */
interface Names {
  readonly person: string;
  readonly run: string;
  readonly snapshot: string;
  readonly restore: string;
  readonly receipt: string;
  readonly session: string;
  readonly repository: string;
  readonly night: string;
}

/** What a route is asked in these tests, and how it answers whom it is for. */
interface Row {
  /** Where the address varies. */
  readonly at?: (named: Names) => string;
  readonly fields?: (named: Names) => Record<string, string>;
  /** To alice, to an operator where the route is theirs, and to everybody where it is for anybody. */
  readonly status: number;
  /** To those who have nothing here, or name what is not theirs; 404 where the route names something, else as to alice. */
  readonly others?: number;
}

const in4 =
  (kind: string, rest: string) =>
  ({ snapshot }: Names) =>
    `/snapshots/${snapshot}/${kind}/${rest}`;
const file = 'private-folder/private-file.txt';
const ofPerson = (act: string, status = 303): Row => ({
  at: ({ person }) => `/operator/people/${person}/${act}`,
  fields: () => ({ reason: 'asked to' }),
  status,
});

/** A row for every address there is: the test fails where one lacks. */
const rows: Readonly<Record<string, Row>> = {
  'GET /style.css': { status: 200 },
  'GET /livez': { status: 200 },
  'GET /readyz': { status: 200 },
  'GET /metrics': { status: 401 },
  'GET /status.json': { status: 401 },
  'GET /setup': { status: 200 },
  'POST /setup': { status: 403 },
  'GET /': { status: 200 },
  'GET /login': { status: 302 },
  'GET /callback': { at: () => '/callback?code=1&state=guessed', status: 400, others: 400 },
  'POST /callback': { fields: () => ({ code: '1', state: 'guessed' }), status: 303 },
  'GET /jwks': { status: 200 },
  'POST /language': { fields: () => ({ language: 'en' }), status: 303 },
  'POST /backchannel-logout': { fields: () => ({ logout_token: 'forged' }), status: 400 },
  'POST /logout': { status: 303 },
  'GET /consent': { status: 200 },
  'POST /consent': { status: 303 },
  'GET /grant': { status: 200 },
  'GET /grant/events': { status: 200 },
  'POST /grant/ask-again': { status: 303 },
  'GET /grant/withdraw': { status: 200, others: 303 },
  'POST /grant/withdraw': { status: 303 },
  // Not while the consent goes on.
  'POST /grant/snapshots': { fields: () => ({ snapshots: '30' }), status: 403, others: 303 },
  'GET /grant/uses.csv': { status: 200 },
  'GET /grant/uses.json': { status: 200 },
  'POST /backup-now': { status: 303 },
  'GET /nights': { status: 200 },
  'GET /nights/:night': { at: ({ night }) => `/nights/${night}`, status: 200 },
  'GET /runs/:id': { at: ({ run }) => `/runs/${run}`, status: 200 },
  'GET /runs/:id/events': { at: ({ run }) => `/runs/${run}/events`, status: 200 },
  'GET /runs/:id/cancel': { at: ({ run }) => `/runs/${run}/cancel`, status: 200 },
  'POST /runs/:id/cancel': { at: ({ run }) => `/runs/${run}/cancel`, status: 303 },
  'POST /runs/:id/looked': { at: ({ run }) => `/runs/${run}/looked`, status: 303 },
  'GET /snapshots': { status: 200 },
  'GET /snapshots/nights': { status: 200 },
  'GET /snapshots/:id/browse/*': { at: in4('browse', 'private-folder'), status: 200 },
  'GET /snapshots/find': { at: () => '/snapshots/find?q=private', status: 200, others: 404 },
  'GET /snapshots/:id/changes/*': { at: in4('changes', 'private-folder'), status: 200 },
  'GET /snapshots/:id/view/*': { at: in4('view', file), status: 200 },
  'GET /snapshots/:id/preview/*': { at: in4('preview', file), status: 200 },
  'GET /snapshots/:id/file/*': { at: in4('file', file), status: 200 },
  'GET /snapshots/:id/zip/*': { at: in4('zip', 'private-folder'), status: 200 },
  'GET /snapshots/:id/restore/*': { at: in4('restore', 'private-folder'), status: 200 },
  'POST /snapshots/:id/restore/*': { at: in4('restore', 'private-folder'), status: 303 },
  'GET /restores/:id': { at: ({ restore }) => `/restores/${restore}`, status: 200 },
  'GET /restores/:id/events': { at: ({ restore }) => `/restores/${restore}/events`, status: 200 },
  'POST /restores/:id/cancel': { at: ({ restore }) => `/restores/${restore}/cancel`, status: 303 },
  'GET /retention': { status: 200 },
  'POST /retention': { status: 303 },
  'GET /verification': { status: 200 },
  'POST /verification/looked': { fields: () => ({ found: '2026-05-04T00:00:00.000Z' }), status: 303 },
  'GET /recovery': { status: 200 },
  'POST /recovery': { status: 200, others: 404 },
  'POST /recovery/kept': { fields: () => ({ third: 'aaaaa', fifth: 'bbbbb' }), status: 400, others: 404 },
  'POST /recovery/remove': { fields: () => ({ key: 'none' }), status: 303, others: 404 },
  'POST /recovery/reissue': { status: 303, others: 404 },
  'GET /recovery/adopt': { status: 200 },
  'POST /recovery/adopt': {
    fields: ({ repository }) => ({ folder: repository, key: 'guess-guess-guess-guess-guess-guess' }),
    status: 400,
    others: 400,
  },
  'GET /settings': { status: 200 },
  'POST /settings/hours': { fields: () => ({ start: '02:00', end: '05:00', zone: 'UTC' }), status: 303 },
  'POST /settings/pause': { fields: () => ({ until: '2026-05-09' }), status: 303 },
  'POST /settings/resume': { status: 303 },
  'POST /settings/sources': { fields: () => ({ source: 'files' }), status: 303 },
  'POST /settings/language': { fields: () => ({ language: 'en' }), status: 303 },
  'POST /settings/mails': { status: 303 },
  'POST /settings/sessions/end': { fields: ({ session }) => ({ session }), status: 303, others: 303 },
  'POST /settings/sessions/end-others': { status: 303 },
  'GET /settings/data.json': { status: 200 },
  'GET /settings/erase': { status: 200 },
  'POST /settings/erase': { fields: () => ({ word: 'perhaps' }), status: 400 },
  // A receipt says nothing of whom it is for: whoever knows its address may read it.
  'GET /erased/:id': { at: ({ receipt }) => `/erased/${receipt}`, status: 200 },
  'GET /erased/:id/events': { at: ({ receipt }) => `/erased/${receipt}/events`, status: 200 },
  'GET /erased/:id/receipt.json': { at: ({ receipt }) => `/erased/${receipt}/receipt.json`, status: 200 },
  'GET /operator': { status: 200 },
  'GET /operator/events': { status: 200 },
  'POST /operator/retry': { fields: () => ({ group: 'failed' }), status: 303 },
  'GET /operator/grants': { status: 200 },
  'GET /operator/people/:person': { at: ({ person }) => `/operator/people/${person}`, status: 200 },
  'POST /operator/people/:person/ask-again': ofPerson('ask-again'),
  'POST /operator/people/:person/run': ofPerson('run'),
  'POST /operator/people/:person/pause': ofPerson('pause'),
  'POST /operator/people/:person/resume': ofPerson('resume'),
  'POST /operator/people/:person/sign-out': ofPerson('sign-out'),
  'GET /operator/people/:person/withdraw': ofPerson('withdraw', 200),
  'POST /operator/people/:person/withdraw': ofPerson('withdraw'),
  'GET /operator/queues': { status: 200 },
  'POST /operator/queues/pause': { status: 303 },
  'POST /operator/queues/resume': { status: 303 },
  'GET /operator/queues/drain': { status: 200 },
  'POST /operator/queues/drain': { fields: () => ({ reason: 'asked to' }), status: 303 },
  // Off here; queue-board.test.ts asks it for what it shows.
  'ALL /operator/queues/board/*': { at: () => '/operator/queues/board/api/queues', status: 404, others: 404 },
  'GET /operator/audit': { status: 200 },
  'GET /operator/audit.csv': { status: 200 },
  'GET /operator/audit.json': { status: 200 },
};

/** An address of the app: in the route table, or, for anyone, besides it. */
interface Address {
  readonly method: string;
  readonly path: string;
  readonly who: 'anyone' | 'person' | 'operator' | 'provider';
}

let pages: Pages;
let app: ReturnType<typeof createApp>;
let alice: SignedIn;
let bob: SignedIn;
let operator: SignedIn;
let hers: Names;
/** Well formed, and of nobody. */
const nobodys: Names = {
  person: randomUUID(),
  run: randomUUID(),
  snapshot: randomBytes(32).toString('hex'),
  restore: randomUUID(),
  receipt: randomUUID(),
  session: randomBytes(32).toString('base64url'),
  repository: randomUUID(),
  night: '2025-12-24',
};
/** Of alice: what nobody else may read, and what operators may not. */
let secrets: readonly string[];
let secretsFromOperators: readonly string[];
/** Cookies that were good once. */
const former: Record<'expired' | 'signed out', Visitor['cookies']> = { expired: new Map(), 'signed out': new Map() };

const subject = 'private-subject-of-alice';
const recoveryKey = 'priva-tekey-ofher-repos-itory-which';
const setup = { token: 'printed', environment: {}, clock: systemClock(), isOpen: async () => true };

beforeAll(async () => {
  pages = await openPages();
  const { clock, config, database } = pages.resources;
  Object.assign(config, { metricsToken: 'of the monitors', queueBoard: 'off', rates: {} });
  app = createApp(pages.resources, routes, setup);
  const claims = { name: 'Private Alice', preferred_username: 'private-alice', email: 'private@alice.example' };
  alice = await pages.newPerson({ subject, claims });
  await alice.post('/consent');
  await alice.comeBack();
  const person = await alice.userId();
  const run = await addRun(pages, alice);
  await database.run.update({
    where: { id: run },
    data: { problems: [{ path: 'private-problem.txt', code: 'source/forbidden', message: 'Not allowed.' }] },
  });
  const content = { 'private-folder': { 'private-file.txt': Buffer.from('private content') } };
  const { id: snapshot } = await writeSnapshot(await addRepository(pages, alice), content);
  const repository = await database.repository.findFirstOrThrow({ where: { userId: person } });
  const { sealed } = seal(pages.resources.keyring, purposes.recoveryKey(repository.id), recoveryKey);
  await database.repository.update({
    where: { id: repository.id },
    data: { sealedRecoveryKey: new Uint8Array(sealed) },
  });
  const restore = randomUUID();
  const asked = { id: restore, userId: person, snapshotId: snapshot, path: 'private-folder', expected: undefined };
  await askForRestore(database, { ...asked, at: clock.now() });
  await database.restore.update({ where: { id: restore }, data: { state: 'succeeded' } });
  const receipt = randomUUID();
  const removed = { sessions: 1, consents: 2, uses: 3, backups: 4, notices: 5, events: 6 };
  const ended = { revoked: 1, expired: 0, shredded: 0 };
  const outcome = { outstanding: 0, ended, snapshots: { kept: false, erased: null } };
  await database.personErasure.create({
    data: { id: receipt, begunAt: clock.now(), finishedAt: clock.now(), removed, outcome },
  });
  const expired = await pages.newPerson(alice.person);
  const signedOut = await pages.newPerson(alice.person);
  former.expired = new Map(expired.cookies);
  former['signed out'] = new Map(signedOut.cookies);
  await csrfOf(former.expired);
  await csrfOf(former['signed out']);
  await signedOut.post('/logout');
  await database.webSession.update({ where: { id: sessionOf(former.expired) }, data: { endsAt: clock.now() } });
  const session = sessionOf(alice.cookies);
  hers = { person, run, snapshot, restore, receipt, session, repository: repository.id, night: '2026-05-04' };
  bob = await pages.newPerson();
  operator = await pages.newPerson({ roles: ['operator'] });
  const plan = await database.plan.findFirstOrThrow({ where: { userId: person } });
  secretsFromOperators = [
    'private-folder',
    'private-file',
    'private content',
    'private-problem',
    snapshot.slice(0, 8),
    recoveryKey,
  ];
  const ids = [person, run, restore, plan.id, plan.grantId, repository.id, hers.session];
  secrets = [...secretsFromOperators, ...ids, subject, ...Object.values(claims)];
});
afterAll(() => pages[Symbol.asyncDispose]());

/** The row of the session that these cookies are of. */
function sessionOf(cookies: Visitor['cookies']): string {
  return createHash('sha256')
    .update((cookies.get('__Host-nightkeep') ?? '').slice(0, 43))
    .digest('base64url');
}

const csrfs = new Map<Visitor['cookies'], string>();

/** The form token of the session, also when it has ended since. */
async function csrfOf(cookies: Visitor['cookies']): Promise<string> {
  const known = csrfs.get(cookies) ?? (await visitorWith(cookies).csrf());
  csrfs.set(cookies, known);
  return known;
}

/** A browser with these cookies, which stay as they are whatever is answered. */
function visitorWith(cookies: Visitor['cookies']): Visitor {
  const visitor = openVisitor(pages.resources, app);
  for (const [name, value] of cookies) visitor.cookies.set(name, value);
  return visitor;
}

/** Asks with these cookies; a form with the token that the session has, or had. */
async function ask(cookies: Visitor['cookies'], { method, path }: Address, given: Names): Promise<Response> {
  const { at, fields } = rows[`${method} ${path}`] ?? { at: undefined, fields: undefined };
  const address = at?.(given) ?? path;
  if (method !== 'POST') return visitorWith(cookies).send(address);
  const body = new URLSearchParams({ csrf: await csrfOf(cookies), ...fields?.(given) });
  return visitorWith(cookies).send(address, { method, body });
}

/** All that somebody is told, but for what they said themselves. */
async function told(answer: Response, named: Names): Promise<string> {
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  const text = `${answer.status}\n${headers}\n${await textOf(answer)}`;
  return Object.entries(named)
    .reduce((all, [name, value]) => all.replaceAll(value, name), text)
    .replaceAll(/name="csrf" value="[^"]*"/g, '')
    .replaceAll(/begun-[\w-]+=[^;]*/g, '');
}

function expectNothingOfAlice(text: string, { path, method }: Address, which = secrets): void {
  const said = rows[`${method} ${path}`]?.at?.(hers) ?? '';
  for (const secret of which.filter((one) => !said.includes(one)))
    expect(text, `${method} ${path}`).not.toContain(secret);
}

/** Whether the route names something that is somebody's. */
function names({ method, path }: Address): boolean {
  const { at, fields } = rows[`${method} ${path}`] ?? {};
  return at?.(nobodys) !== at?.(named(2)) || JSON.stringify(fields?.(nobodys)) !== JSON.stringify(fields?.(named(2)));
}

function named(number: number): Names {
  return Object.fromEntries(Object.keys(nobodys).map((name) => [name, `${name} ${number}`])) as unknown as Names;
}

const statusOf = ({ method, path }: Address) => rows[`${method} ${path}`]?.status;
const ofOthers = (address: Address) =>
  rows[`${address.method} ${address.path}`]?.others ?? (names(address) ? 404 : statusOf(address));

const tabled: readonly Address[] = routes.map(({ method, path, who }) => ({ method, path, who }));
const cases = (those: readonly Address[]) => those.map((address) => [address.method, address.path, address] as const);
const forPeople = tabled.filter(({ who }) => who === 'person');
const forOperators = tabled.filter(({ who }) => who === 'operator');

describe('a form that is sent', () => {
  test('leads to an address, so that going back and reloading send nothing again, but for the key that no address shows, and what was refused', () => {
    const pages = Object.entries(rows).filter(([name, { status }]) => name.startsWith('POST ') && status === 200);
    expect(pages.map(([name]) => name)).toEqual(['POST /recovery']);
  });
});

describe('the table of this test', () => {
  it('has a row for every address that the app has, and no other', () => {
    const own = app.routes.filter(({ method, path }) => method !== 'ALL' || path.startsWith('/operator/queues/board/'));
    const addresses = [
      ...new Set(own.map(({ method, path }) => `${method} ${path.replace(/^\/[\w-]+\.(css|js|svg)$/, '/style.css')}`)),
    ];
    expect(addresses.toSorted()).toEqual(Object.keys(rows).toSorted());
  });

  it('has each address once, and lets only the provider and whoever chooses a language post without a session', () => {
    const addresses = tabled.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(tabled.filter(({ method, who }) => method === 'POST' && who !== 'person' && who !== 'operator')).toEqual([
      { method: 'POST', path: '/callback', who: 'provider' },
      { method: 'POST', path: '/language', who: 'anyone' },
      { method: 'POST', path: '/backchannel-logout', who: 'provider' },
    ]);
  });
});

describe('whoever is not signed in, is not theirs, or is not an operator', () => {
  let before: string[];
  beforeAll(async () => {
    before = await everyRow(pages.resources.database);
  });
  const expectNoRowChanged = async () => expect(await everyRow(pages.resources.database)).toEqual(before);

  test.each(cases([...forPeople, ...forOperators]))(
    'is sent to the sign-in, as a stranger, with a session that expired, or that was signed out: %s %s',
    async (_method, _path, address) => {
      for (const cookies of [new Map(), former.expired, former['signed out']])
        for (const of of [hers, nobodys]) {
          const answer = await ask(cookies, address, of);
          expect(answer.status).toBe(303);
          expect(answer.headers.get('location')).toMatch(address.path === '/logout' ? /^\/$/ : /^\/login\?returnTo=/);
          expectNothingOfAlice(await told(answer, of), address);
        }
      if (address.method !== 'GET') await expectNoRowChanged();
    },
  );

  test.each(cases(forOperators))(
    'is refused what is for operators, there or not: %s %s',
    async (_method, _path, address) => {
      for (const { cookies } of [alice, bob]) {
        const [there, not] = [await ask(cookies, address, hers), await ask(cookies, address, nobodys)];
        expect([there.status, not.status]).toEqual([403, 403]);
        const text = await told(there, hers);
        expect(text).toBe(await told(not, nobodys));
        if (cookies === bob.cookies) expectNothingOfAlice(text, address);
      }
      if (address.method !== 'GET') await expectNoRowChanged();
    },
  );

  test.each(cases(forPeople.filter(names)))(
    "is told of what is alice's what is told of what there is not: %s %s",
    async (_method, _path, address) => {
      for (const { cookies } of [bob, operator]) {
        const [there, not] = [await ask(cookies, address, hers), await ask(cookies, address, nobodys)];
        expect([there.status, not.status]).toEqual([ofOthers(address), ofOthers(address)]);
        const text = await told(there, hers);
        expect(text).toBe(await told(not, nobodys));
        expectNothingOfAlice(text, address);
      }
      expect((await ask(alice.cookies, address, nobodys)).status).toBe(ofOthers(address));
      if (address.method !== 'GET') await expectNoRowChanged();
    },
  );

  it.each(cases(forPeople.concat(forOperators).filter(({ method }) => method === 'POST')))(
    'is refused a form without the token of the session: %s %s',
    async (_method, path, address) => {
      const who = address.who === 'operator' ? operator : alice;
      for (const csrf of ['', await bob.csrf()])
        expect((await who.post(rows[`POST ${path}`]?.at?.(hers) ?? path, { csrf })).status).toBe(403);
      await expectNoRowChanged();
    },
  );

  it('has changed no row by looking, either', expectNoRowChanged);
});

describe('what is for anybody', () => {
  const besides = Object.keys(rows)
    .map((row) => row.split(' '))
    .filter(
      ([method, path]) => path !== '/style.css' && !tabled.some((one) => one.method === method && one.path === path),
    )
    .map(([method = '', path = '']): Address => ({ method, path, who: 'anyone' }));
  const open = [...besides, ...tabled.filter(({ who }) => who === 'anyone' || who === 'provider')];

  test.each(cases(open))('tells nobody anything of alice: %s %s', async (_method, _path, address) => {
    for (const cookies of [new Map(), former.expired, former['signed out'], bob.cookies, operator.cookies]) {
      const answer = await ask(cookies, address, hers);
      // Somebody who is signed in has been through this, and is led home.
      const led = address.path === '/callback' && [bob.cookies, operator.cookies].includes(cookies);
      expect(answer.status).toBe(led ? 303 : statusOf(address));
      expectNothingOfAlice(await told(answer, hers), address);
      if (names(address)) expect((await ask(cookies, address, nobodys)).status).toBe(ofOthers(address));
    }
  });
});

describe('whoever is signed in', () => {
  /** The rows that name something of alice's. */
  const rowsOfAlice = async () =>
    (await everyRow(pages.resources.database)).filter((row) => secrets.some((secret) => row.includes(secret)));

  test.each(cases(forPeople.filter((address) => !names(address))))(
    "has of what is everybody's own nothing of alice's, and changes nothing of hers: %s %s",
    async (_method, _path, address) => {
      const before = address.method === 'POST' ? await rowsOfAlice() : [];
      const ends = /logout|sessions/.test(address.path);
      for (const { cookies } of ends ? [await pages.newPerson()] : [bob, operator]) {
        const answer = await ask(cookies, address, hers);
        expect(answer.status).toBe(ofOthers(address));
        expectNothingOfAlice(await told(answer, hers), address);
      }
      if (address.method === 'POST') expect(await rowsOfAlice()).toEqual(before);
    },
  );

  const getsFirst = forPeople.toSorted((a, b) => a.method.localeCompare(b.method));
  test.each(cases(getsFirst))('as alice has what is hers: %s %s', async (_method, _path, address) => {
    const { cookies } = address.method === 'GET' ? alice : await pages.newPerson(alice.person);
    const answer = await ask(cookies, address, { ...hers, session: sessionOf(cookies) });
    expect(answer.status).toBe(statusOf(address));
    await answer.body?.cancel();
  });

  test.each(cases(forOperators))(
    'as an operator has what is for operators, but of files not the names: %s %s',
    async (_method, _path, address) => {
      const answer = await ask(operator.cookies, address, hers);
      expect(answer.status).toBe(statusOf(address));
      expectNothingOfAlice(await told(answer, hers), address, secretsFromOperators);
      if (names(address)) expect((await ask(operator.cookies, address, nobodys)).status).toBe(ofOthers(address));
    },
  );
});

it("answers 404 to ids that are none, and to another person's repository that has no such snapshot", async () => {
  const signedIn = await pages.newPerson(alice.person);
  for (const path of ['/runs/not-an-id', '/snapshots/not-an-id/browse/', `/snapshots/${'cd'.repeat(32)}/browse/`])
    expect((await signedIn.send(path)).status).toBe(404);
  const backedUp = await pages.consented();
  await addRepository(pages, backedUp);
  expect((await backedUp.send(`/snapshots/${hers.snapshot}/browse/`)).status).toBe(404);
});
