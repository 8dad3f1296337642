import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { alice, carol } from '../../demo/people.ts';
import { type MailKind, mailKinds } from '../../src/domain/notices.ts';
import { dayMs } from '../../src/durations.ts';
import { revealRecoveryKey } from '../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../src/flows/nights/ensure-person-repository.ts';
import { openPersonRepository } from '../../src/flows/nights/open-person-repository.ts';
import { raiseNotices } from '../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../src/flows/notices/send-notices.ts';
import { removeCards } from '../../src/store/repository/cards.ts';
import { type Route, routes } from '../../src/web/routes.ts';
import { type Texts, texts } from '../../src/web/texts/en.ts';
import { listTexts } from '../../src/web/texts/languages.ts';
import {
  type BrowserWorld,
  openBrowserWorld,
  type Press,
  type VisitorName,
  visitors,
} from '../support/harness/browser-world.ts';
import { requireProgram } from '../support/servers/programs.ts';
import { decoded } from '../support/servers/smtp.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');
/** Where the pictures are left, for people to look at. */
const pictures = process.env.SCREENSHOTS;
const widths = [
  ['wide', 1280],
  ['phone', 390],
] as const;
const themes = ['light', 'dark'] as const;

/** What stands out of the card that it is in, where nothing scrolls. */
const spilling = `[...document.querySelectorAll('.card *')].filter((one) => {
  const card = one.parentElement.closest('.card');
  for (let above = one.parentElement; above !== card; above = above.parentElement)
    if (getComputedStyle(above).overflowX !== 'visible') return false;
  const { right, width } = one.getBoundingClientRect();
  return width > 1 && right > card.getBoundingClientRect().right + 1;
}).map((one) => one.outerHTML.slice(0, 200))`;
/** What draws a line above itself as the first of its card, which has an edge of its own. */
const strayLines = `[...document.querySelectorAll('.card > :first-child')].filter((one) => parseFloat(getComputedStyle(one).borderTopWidth) > 0 && !one.matches('table, pre, input, button, a, fieldset')).map((one) => one.outerHTML.slice(0, 200))`;
/** Words and times that stand on two lines, where nothing says where they may be divided. */
const brokenWords = `(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!parentElement.checkVisibility() || parentElement.closest('pre, code, select, .unseen, caption')) continue;
    for (const { 0: word, index } of data.matchAll(/\\S+/g)) {
      if (word.length > 30 || !/^[\\p{L}\\p{M}\\d:.,]+$/u.test(word)) continue;
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word);
    }
  }
  return broken;
})()`;
/** Rows of tables, as phones show them, of which a label stands there without anything said. */
const bareLabels = `[...document.querySelectorAll('.rows td')].filter((one) => one.textContent.trim() === '' && one.checkVisibility() && !one.matches(':first-child')).map((one) => one.dataset.label)`;
/** How many entries of the menu stand on its lines: as many on each. */
const menuLines = `[...new Set(Object.values(Object.groupBy(document.querySelectorAll('body > header nav li'), (one) => one.offsetTop)).map(({ length }) => length))]`;
const isEven = (lines: number[]) => lines.length < 2;
const heightsOfPlots = `[...document.querySelectorAll('svg.bars, svg.plot')].map((one) => one.getBoundingClientRect().height)`;

/** What a page answers, where that is not 200: to everybody, or to these. */
type Statuses = number | Partial<Record<VisitorName, number>>;

/** What a browser meets at an address of the route table. */
type Row = {
  /** The address, where it is not that of the route: with what is alice's, unless an act is done on bob. */
  at?: (world: BrowserWorld) => string;
  /** It belongs to alice: nobody else finds it. */
  hers?: boolean;
  /** Who opens it here, where that is not alice or the operator. */
  by?: VisitorName;
} & (
  | { kind: 'page'; picture: string; status?: Statuses; arrange?: (world: BrowserWorld) => Promise<unknown> }
  /** No page of ours: what it is made of. */
  | {
      kind: 'answer';
      type: RegExp;
      status?: Statuses;
      /** It goes on as long as it is looked at. */
      endless?: true;
    }
  /** A button: the page that it stands on, and what the page then says. */
  | {
      kind: 'act';
      on: string | ((world: BrowserWorld) => string);
      says: string | RegExp;
      arrange?: (world: BrowserWorld) => Promise<unknown>;
      /** What is done on the page before. */
      first?: (page: Page) => Promise<unknown>;
      fill?: Readonly<Record<string, string>>;
      /** What is pressed besides, after the button. */
      next?: (page: Page) => Promise<unknown>;
    }
);

const ofRun =
  (which: 'ended' | 'running', below = '') =>
  ({ runs }: BrowserWorld) =>
    `/runs/${runs[which]}${below}`;
const ofSnapshot =
  (verb: string, place: 'folder' | 'file') =>
  ({ snapshot }: BrowserWorld) =>
    `/snapshots/${snapshot.id}/${verb}/${snapshot[place]}`;
const personPage = ({ userIds }: BrowserWorld) => `/operator/people/${userIds.bob}`;
const ofBob = (below: string) => (world: BrowserWorld) => `${personPage(world)}${below}`;
const bobsGrant = (world: BrowserWorld, state: 'active' | 'suspect') =>
  world.demo.resources.database.grant.updateMany({
    where: { userId: world.userIds.bob },
    data: { state, refusals: state === 'suspect' ? 1 : 0 },
  });

const ofOneFile = {
  marks: ['data 1'],
  files: [{ path: '/files/Letters/a long name without an end.txt', snapshots: ['ab'.repeat(32), 'cd'.repeat(32)] }],
  snapshots: [],
  recoveryKey: false,
};

/** What a verification of alice's repository found, a moment ago. */
async function saveVerification(
  { demo: { resources }, userIds }: BrowserWorld,
  found: { damage: typeof ofOneFile; damageState: 'accepted' | 'lost'; foundAt: Date },
): Promise<void> {
  const at = resources.clock.now();
  const known = { userId: userIds.alice, since: at, checkedAt: at, verifiedAt: at, packsRead: 3, filesRead: 12 };
  const { verification } = resources.database;
  await verification.deleteMany({ where: { userId: userIds.alice } });
  await verification.create({ data: { ...known, ...found, nextAt: new Date(at.getTime() + 23 * 3_600_000) } });
}

/** What the operator has on paper of an installation that is lost. */
let left = { folder: '', recoveryKey: '' };

/** Leaves a repository of the operator's in the store, of which the database knows nothing. */
async function leaveRepository({ demo: { resources } }: BrowserWorld): Promise<void> {
  const { database, store } = resources;
  const { id } = await database.user.findFirstOrThrow({ where: { username: carol.username } });
  await ensurePersonRepository(resources, id);
  left = await revealRecoveryKey(resources, id);
  await database.repository.delete({ where: { userId: id } });
  await removeCards(store(left.folder, null));
}

/** Signs alice in with a browser besides the one that she has. */
async function signInElsewhere({ browser, signIn }: BrowserWorld): Promise<void> {
  const context = await browser.newContext();
  await signIn('alice', { page: await context.newPage() });
  await context.close();
}

/** Each address, in the order in which the buttons are pressed. */
const rows: Readonly<Record<string, Row>> = {
  'GET /': { kind: 'page', picture: 'home' },
  'GET /login': { kind: 'answer', type: /^$/, status: 302 },
  'GET /callback': {
    kind: 'page',
    picture: 'error',
    by: 'stranger',
    status: 400,
  },
  'POST /callback': { kind: 'answer', type: /^$/, status: 303 },
  'GET /jwks': { kind: 'answer', type: /json/ },
  'POST /backchannel-logout': { kind: 'answer', type: /json/, status: 400 },
  'GET /consent': { kind: 'page', picture: 'agree' },
  'GET /grant': { kind: 'page', picture: 'consent' },
  'GET /grant/events': { kind: 'answer', type: /event-stream/ },
  'GET /grant/withdraw': { kind: 'page', picture: 'withdraw', status: { operator: 303 } },
  'GET /grant/uses.csv': { kind: 'answer', type: /csv/ },
  'GET /grant/uses.json': { kind: 'answer', type: /json/ },
  'GET /nights': { kind: 'page', picture: 'nights' },
  'GET /nights/:night': { kind: 'page', picture: 'night', at: ({ night }) => `/nights/${night}`, hers: true },
  'GET /runs/:id': { kind: 'page', picture: 'run', at: ofRun('ended'), hers: true },
  'GET /runs/:id/events': { kind: 'answer', type: /event-stream/, at: ofRun('ended', '/events'), hers: true },
  'GET /runs/:id/cancel': { kind: 'page', picture: 'run-cancel', at: ofRun('running', '/cancel'), hers: true },
  'GET /snapshots': { kind: 'page', picture: 'snapshots' },
  'GET /snapshots/nights': { kind: 'page', picture: 'snapshots-nights' },
  'GET /snapshots/:id/browse/*': { kind: 'page', picture: 'folder', at: ofSnapshot('browse', 'folder'), hers: true },
  'GET /snapshots/find': {
    kind: 'page',
    picture: 'find',
    at: () => '/snapshots/find?q=letter',
    status: { operator: 404 },
  },
  'GET /snapshots/:id/changes/*': { kind: 'page', picture: 'changes', at: ofSnapshot('changes', 'folder'), hers: true },
  'GET /snapshots/:id/view/*': { kind: 'page', picture: 'file', at: ofSnapshot('view', 'file'), hers: true },
  'GET /snapshots/:id/preview/*': {
    kind: 'answer',
    type: /text\/plain/,
    at: ofSnapshot('preview', 'file'),
    hers: true,
  },
  'GET /snapshots/:id/file/*': { kind: 'answer', type: /octet-stream/, at: ofSnapshot('file', 'file'), hers: true },
  'GET /snapshots/:id/zip/*': { kind: 'answer', type: /zip/, at: ofSnapshot('zip', 'folder'), hers: true },
  'GET /snapshots/:id/restore/*': { kind: 'page', picture: 'restore', at: ofSnapshot('restore', 'folder'), hers: true },
  'GET /restores/:id': {
    kind: 'page',
    picture: 'restore-running',
    at: ({ restore }) => `/restores/${restore}`,
    hers: true,
  },
  'GET /restores/:id/events': {
    kind: 'answer',
    type: /event-stream/,
    at: ({ endedRestore }) => `/restores/${endedRestore}/events`,
    hers: true,
  },
  'GET /retention': { kind: 'page', picture: 'retention' },
  'GET /verification': {
    kind: 'page',
    picture: 'verification',
    arrange: (world) => saveVerification(world, { damage: ofOneFile, damageState: 'accepted', foundAt: new Date(0) }),
  },
  'GET /recovery': { kind: 'page', picture: 'recovery' },
  'GET /recovery/adopt': {
    kind: 'page',
    picture: 'adopt',
    by: 'operator',
    arrange: ({ signIn }) => signIn('operator', { freshly: true }),
  },
  'GET /settings': { kind: 'page', picture: 'settings', arrange: signInElsewhere },
  'GET /settings/data.json': { kind: 'answer', type: /json/ },
  'GET /settings/erase': { kind: 'page', picture: 'erase' },
  'GET /erased/:id': { kind: 'page', picture: 'receipt', at: ({ receipt }) => `/erased/${receipt}` },
  'GET /erased/:id/events': { kind: 'answer', type: /event-stream/, at: ({ receipt }) => `/erased/${receipt}/events` },
  'GET /erased/:id/receipt.json': {
    kind: 'answer',
    type: /json/,
    at: ({ receipt }) => `/erased/${receipt}/receipt.json`,
  },
  'GET /operator': { kind: 'page', picture: 'operator-tonight' },
  'GET /operator/grants': { kind: 'page', picture: 'operator-grants' },
  'GET /operator/people/:person': { kind: 'page', picture: 'operator-person', at: personPage },
  'GET /operator/people/:person/withdraw': { kind: 'page', picture: 'operator-withdraw', at: ofBob('/withdraw') },
  'GET /operator/queues': { kind: 'page', picture: 'operator-queues' },
  'GET /operator/queues/drain': { kind: 'page', picture: 'operator-drain' },
  'ALL /operator/queues/board/*': { kind: 'answer', type: /html/, at: () => '/operator/queues/board' },
  'GET /operator/audit': { kind: 'page', picture: 'operator-audit' },
  'GET /operator/audit.csv': { kind: 'answer', type: /csv/ },
  'GET /operator/audit.json': { kind: 'answer', type: /json/ },

  'GET /operator/events': { kind: 'answer', type: /event-stream/, endless: true },

  'POST /operator/queues/pause': { kind: 'act', on: '/operator/queues', says: 'The night was paused by' },
  'POST /operator/queues/resume': { kind: 'act', on: '/operator/queues', says: 'The queue is giving out runs.' },
  'POST /operator/queues/drain': {
    kind: 'act',
    on: '/operator/queues/drain',
    fill: { reason: 'the store is full' },
    says: /The night ends early|No run of the night is waiting/,
  },
  'POST /operator/retry': { kind: 'act', on: '/operator', says: /requested/ },
  'POST /operator/people/:person/ask-again': {
    kind: 'act',
    at: ofBob('/ask-again'),
    on: personPage,
    arrange: (world) => bobsGrant(world, 'suspect'),
    says: 'The provider accepts the consent again.',
  },
  'POST /operator/people/:person/run': {
    kind: 'act',
    at: ofBob('/run'),
    on: personPage,
    says: 'A backup was requested.',
  },
  'POST /operator/people/:person/pause': { kind: 'act', at: ofBob('/pause'), on: personPage, says: 'paused' },
  'POST /operator/people/:person/resume': {
    kind: 'act',
    at: ofBob('/resume'),
    on: personPage,
    says: 'no longer paused',
  },
  'POST /operator/people/:person/sign-out': { kind: 'act', at: ofBob('/sign-out'), on: personPage, says: 'signed out' },
  'POST /operator/people/:person/withdraw': {
    kind: 'act',
    at: ofBob('/withdraw'),
    on: ofBob('/withdraw'),
    fill: { reason: 'left the company' },
    says: 'withdrawn',
  },

  'POST /language': {
    kind: 'act',
    on: '/settings',
    next: (page) => page.getByRole('button', { name: 'English' }).click(),
    says: 'Hours of your nights',
  },
  'POST /settings/hours': { kind: 'act', on: '/settings', fill: { start: '02:00' }, says: 'Your hours are saved.' },
  'POST /settings/pause': {
    kind: 'act',
    on: '/settings',
    first: async (page) => page.fill('#until', (await page.getAttribute('#until', 'min')) ?? ''),
    says: 'Your nights are paused.',
  },
  'POST /settings/resume': { kind: 'act', on: '/settings', says: 'Your nights are no longer paused.' },
  'POST /settings/sources': {
    kind: 'act',
    on: '/settings',
    first: (page) => page.getByLabel('Contacts', { exact: true }).uncheck(),
    says: 'Your choice of what to back up is saved.',
  },
  'POST /settings/language': { kind: 'act', on: '/settings', says: 'Your language is saved.' },
  'POST /settings/mails': { kind: 'act', on: '/settings', says: 'Your choice of mails is saved.' },
  'POST /settings/sessions/end': {
    kind: 'act',
    on: '/settings',
    arrange: signInElsewhere,
    says: 'That browser is signed out.',
  },
  'POST /settings/sessions/end-others': {
    kind: 'act',
    on: '/settings',
    arrange: signInElsewhere,
    says: 'All other browsers are signed out.',
  },
  'POST /runs/:id/cancel': {
    kind: 'act',
    at: ofRun('running', '/cancel'),
    on: ofRun('running', '/cancel'),
    hers: true,
    says: 'cancelled',
  },
  'POST /runs/:id/looked': {
    kind: 'act',
    at: ofRun('ended', '/looked'),
    on: ofRun('ended'),
    hers: true,
    arrange: ({ demo, runs }) =>
      demo.resources.database.run.update({ where: { id: runs.ended }, data: { alarm: 'loss' } }),
    says: 'looked at it on',
  },
  'POST /restores/:id/cancel': {
    kind: 'act',
    at: ({ restore }) => `/restores/${restore}/cancel`,
    on: ({ restore }) => `/restores/${restore}`,
    hers: true,
    says: /end|stop|cancel/i,
  },
  'POST /snapshots/:id/restore/*': {
    kind: 'act',
    at: ofSnapshot('restore', 'folder'),
    on: ofSnapshot('restore', 'folder'),
    hers: true,
    arrange: ({ demo, restore }) =>
      demo.resources.database.restore.update({ where: { id: restore }, data: { state: 'cancelled' } }),
    next: async (page) => {
      await page.locator('[name=decision][value=allow]').click();
      // Once it has ended, its page loads itself again.
      await page.locator('main .card:not([data-live])').first().waitFor();
    },
    says: /restore/i,
  },
  'POST /backup-now': { kind: 'act', on: '/', says: /waiting|running|complete/i },
  'POST /retention': {
    kind: 'act',
    on: '/retention',
    arrange: ({ demo, userIds }) =>
      demo.resources.database.plan.updateMany({ where: { userId: userIds.alice }, data: { retentionAgreedAt: null } }),
    says: 'You agreed',
  },
  'POST /verification/looked': {
    kind: 'act',
    on: '/verification',
    arrange: (world) => saveVerification(world, { damage: ofOneFile, damageState: 'lost', foundAt: new Date(0) }),
    says: 'You have confirmed',
  },
  'POST /recovery': { kind: 'act', on: '/recovery', says: 'recovery key' },
  'POST /recovery/kept': {
    kind: 'act',
    on: '/recovery',
    first: async (page) => {
      await page.locator('form[action="/recovery"] button').click();
      const groups = ((await page.locator('.sheet-key .key').textContent()) ?? '').trim().split('-');
      await page.fill('#third', groups[2] ?? '');
      await page.fill('#fifth', groups[4] ?? '');
    },
    says: 'You have your recovery key: you confirmed that',
  },
  'POST /recovery/adopt': {
    kind: 'act',
    by: 'operator',
    on: '/recovery/adopt',
    arrange: leaveRepository,
    first: async (page) => {
      await page.fill('#folder', left.folder);
      await page.fill('#key', left.recoveryKey);
    },
    says: 'Your earlier snapshots are here',
  },
  'POST /recovery/remove': {
    kind: 'act',
    on: '/recovery',
    arrange: async ({ demo: { resources }, userIds }) => {
      const { repository } = await openPersonRepository(resources, userIds.alice);
      await repository.addKey('another', { clock: resources.clock, username: 'alice', hostname: 'laptop' });
    },
    says: 'recovery key',
  },
  'POST /recovery/reissue': {
    kind: 'act',
    on: '/recovery',
    next: (page) => page.locator('button.danger').click(),
    says: 'recovery key',
  },
  'POST /grant/ask-again': {
    kind: 'act',
    on: '/grant',
    arrange: ({ demo, userIds }) =>
      demo.resources.database.grant.updateMany({
        where: { userId: userIds.alice },
        data: { state: 'suspect', refusals: 1 },
      }),
    says: 'consent',
  },
  'POST /grant/withdraw': {
    kind: 'act',
    on: '/grant/withdraw',
    next: (page) => page.getByRole('button', { name: 'Yes, withdraw my consent' }).click(),
    says: 'withdrawn',
  },
  'POST /grant/snapshots': {
    kind: 'act',
    on: '/grant',
    // No worker holds the run that is shown: it would be waited for.
    arrange: ({ demo, runs }) =>
      demo.resources.database.run.update({ where: { id: runs.running }, data: { leaseUntil: null } }),
    first: (page) => page.getByLabel(texts.withdraw.eraseNow).check(),
    // A worker erases them meanwhile, and the page says so by itself.
    next: (page) => page.getByRole('button', { name: texts.withdraw.sureErase }).click(),
    says: 'Everything was erased on',
  },
  'POST /consent': {
    kind: 'act',
    on: '/consent',
    next: (page) => page.locator('[name=decision][value=allow]').click(),
    says: /protected|backup/i,
  },
  'POST /settings/erase': {
    kind: 'act',
    on: '/settings/erase',
    fill: { word: 'erase' },
    says: 'no other way to get here',
  },
  'POST /logout': { kind: 'act', by: 'operator', on: '/', says: /./ },
};

/** What alice is mailed of each kind, and how it comes to that. */
const mailed = {
  'consent-ends': {
    arrange: ({ demo: { resources } }: BrowserWorld) => ({
      maxDeadline: new Date(resources.clock.now().getTime() + 13 * dayMs),
    }),
    words: (texts: Texts) => texts.consentEnds.endsIn(13),
  },
  trouble: {
    arrange: () => ({ state: 'needs_consent', reason: 'signed_out' }) as const,
    words: (texts: Texts) => texts.protection.consent.signed_out.happened,
  },
} as const satisfies Record<MailKind, object>;

const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** Who gets what stands there, and not an answer that it is not theirs. */
function welcome(route: Route, row: Row): readonly VisitorName[] {
  if (route.who === 'anyone' || route.who === 'provider') return visitors;
  if (route.who === 'operator') return ['operator'];
  return row.hers ? ['alice'] : ['alice', 'bob', 'operator'];
}

function statusFor({ status }: Extract<Row, { kind: 'page' | 'answer' }>, visitor: VisitorName): number {
  return (typeof status === 'number' ? status : status?.[visitor]) ?? 200;
}

describe.skipIf(executablePath === undefined)('every address of the route table, in a browser', () => {
  const opened = new AsyncDisposableStack();
  const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  const measured: Record<string, { bytes: number; firstByteMs: number }> = {};
  let world: BrowserWorld;
  beforeAll(async () => {
    world = opened.use(await openBrowserWorld(executablePath ?? ''));
    if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  });
  afterAll(async () => {
    if (pictures !== undefined) writeFileSync(join(pictures, 'measured.json'), JSON.stringify(measured, null, 2));
    await opened.disposeAsync();
  });

  const addressOf = ({ path }: Route, { at }: Row) => at?.(world) ?? path;
  const table = routes.map((route) => ({ name: nameOf(route), route, row: rows[nameOf(route)] }));
  const ofKind = <K extends Row['kind']>(kind: K) =>
    table.flatMap(({ row, ...rest }) =>
      row?.kind === kind ? [{ ...rest, row: row as Extract<Row, { kind: K }> }] : [],
    );

  it('is known to this test: a page that is added needs a row in it', () => {
    expect(table.filter(({ row }) => row === undefined).map(({ name }) => name)).toEqual([]);
    expect(Object.keys(rows).filter((name) => !table.some((one) => one.name === name))).toEqual([]);
  });

  /** What went wrong in a page while something was done: errors of scripts and of policies. */
  async function troubleOf(page: Page, work: () => Promise<void>): Promise<string[]> {
    const trouble: string[] = [];
    const hear = (message: { type(): string; text(): string }) =>
      void (message.type() === 'error' && trouble.push(message.text()));
    const fail = (error: Error) => void trouble.push(String(error));
    page.on('console', hear).on('pageerror', fail);
    await work();
    page.off('console', hear).off('pageerror', fail);
    return trouble;
  }

  test.for(ofKind('page').map(({ name, ...rest }) => [name, rest] as const))(
    'fits and is whole in four shapes: %s',
    async ([name, { route, row }]) => {
      const who = row.by ?? (route.who === 'operator' ? 'operator' : 'alice');
      const [page, status] = [world.pages[who], statusFor(row, who)];
      await row.arrange?.(world);
      await page.setViewportSize({ width: 1280, height: 800 });
      const trouble = await troubleOf(page, async () => {
        const answer = await page.goto(addressOf(route, row));
        expect(answer?.status()).toBe(status);
        const { responseBodySize } = (await answer?.request().sizes()) ?? expect.unreachable();
        const { requestStart, responseStart } = answer?.request().timing() ?? expect.unreachable();
        measured[name] = { bytes: responseBodySize, firstByteMs: Math.round(responseStart - requestStart) };
        expect(responseBodySize).toBeLessThan(100_000);
      });
      // Chromium itself complains of the status of an error page.
      expect(trouble.filter((line) => status === 200 || !line.includes('status of'))).toEqual([]);
      expect(await page.locator('h1').count()).toBe(1);
      await openAxe(page);
      for (const [width, points] of widths) {
        await page.setViewportSize({ width: points, height: 800 });
        expect(await page.evaluate('document.documentElement.scrollWidth'), width).toBe(points);
        expect(await page.evaluate(spilling), width).toEqual([]);
        expect(await page.evaluate(strayLines), width).toEqual([]);
        expect(await page.evaluate(brokenWords), width).toEqual([]);
        if (width === 'phone') expect(await page.evaluate(bareLabels)).toEqual([]);
        expect(await page.evaluate<number[]>(menuLines), width).toSatisfy(isEven);
        for (const height of await page.evaluate<number[]>(heightsOfPlots)) expect(height).toBeGreaterThan(80);
        for (const theme of themes) {
          await page.emulateMedia({ colorScheme: theme });
          if (pictures !== undefined)
            await page.screenshot({ path: join(pictures, `${row.picture}-${width}-${theme}.png`), fullPage: true });
          expect(await faultsOf(page), `${width}, ${theme}`).toEqual([]);
        }
      }
      await page.setViewportSize({ width: 320, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
      expect(await page.evaluate<number[]>(menuLines)).toSatisfy(isEven);
    },
  );

  /** By the button at the foot of a page. */
  const speak = async (language: string, ...names: VisitorName[]) => {
    for (const name of names) {
      const page = world.pages[name];
      await page.goto(name === 'stranger' ? '/' : '/settings');
      const button = page.getByRole('button', { name: language });
      if (await button.count()) await button.click();
    }
  };

  describe('in German', () => {
    beforeAll(() => speak('Deutsch', 'stranger', 'alice', 'operator'));
    afterAll(() => speak('English', 'stranger', 'alice', 'operator'));

    test.for(ofKind('page').map(({ name, ...rest }) => [name, rest] as const))(
      'fits with its longer words too, and axe finds nothing: %s',
      async ([, { route, row }]) => {
        const page = world.pages[row.by ?? (route.who === 'operator' ? 'operator' : 'alice')];
        await page.setViewportSize({ width: 390, height: 800 });
        await page.emulateMedia({ colorScheme: 'light' });
        await page.goto(addressOf(route, row));
        expect(await page.getAttribute('html', 'lang')).toBe('de');
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
        if (pictures !== undefined)
          await page.screenshot({ path: join(pictures, `${row.picture}-phone-light-de.png`), fullPage: true });
        await openAxe(page);
        expect(await faultsOf(page)).toEqual([]);
        await page.setViewportSize({ width: 320, height: 800 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
        expect(await page.evaluate<number[]>(menuLines)).toSatisfy(isEven);
        for (const width of [360, 800, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
          expect(await page.evaluate(brokenWords), `${width}`).toEqual([]);
          expect(await page.evaluate<number[]>(menuLines), `${width}`).toSatisfy(isEven);
        }
      },
    );
  });

  /** Brings axe to the page, which may not load itself again: it would lose axe. */
  const openAxe = async (page: Page) => {
    await page.evaluate('window.stop()');
    await page.evaluate(axe);
  };
  const faultsOf = (page: Page) =>
    page.evaluate(
      'axe.run(document, { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))',
    );

  test.for(table.filter(({ row }) => row !== undefined).map(({ name, ...rest }) => [name, rest] as const))(
    'is there for who may see it, and for nobody else: %s',
    async ([, { route, row }]) => {
      if (row === undefined) return;
      const changes = row.kind === 'act' || route.method === 'POST';
      for (const visitor of visitors) {
        const isWelcome = welcome(route, row).includes(visitor);
        // What it does to who may do it, and what goes on, the browser finds out below.
        if (isWelcome && (row.kind === 'act' || (row.kind === 'answer' && row.endless))) continue;
        const { status, type, location } = await ask(visitor, addressOf(route, row), changes);
        if (isWelcome && row.kind !== 'act') {
          expect(status, visitor).toBe(statusFor(row, visitor));
          if (row.kind === 'answer') expect(type, visitor).toMatch(row.type);
        } else if (visitor === 'stranger')
          expect([status, location]).toEqual([
            303,
            expect.stringMatching(route.path === '/logout' ? /^\/$/ : /^\/login\?/),
          ]);
        else expect(status, visitor).toBe(route.who === 'operator' ? 403 : 404);
      }
    },
  );

  /** Asks as the browser of the visitor would, with the form token of their session where something is sent. */
  async function ask(visitor: VisitorName, address: string, changes: boolean) {
    const { request } = world.contexts[visitor];
    const form = async () => ({
      csrf: /name="csrf" value="([^"]+)"/.exec(await (await request.get('/')).text())?.[1] ?? '',
    });
    const answer = changes
      ? await request.post(address, { form: await form(), maxRedirects: 0 })
      : await request.get(address, { maxRedirects: 0 });
    const { location, 'content-type': type = '' } = answer.headers();
    return { status: answer.status(), location, type };
  }

  describe.for(listTexts().map((texts) => [texts.languageName, texts] as const))('in %s', ([, texts]) => {
    afterAll(() => speak('English', 'alice'));

    test.for(mailKinds)('mail comes as long as it is ticked: %s', async (kind) => {
      const page = world.pages.alice;
      const { resources } = world.demo;
      const { database } = resources;
      const where = { userId: world.userIds.alice };
      const { state, reason, maxDeadline } = await database.grant.findFirstOrThrow({ where });
      const told = () => page.locator('main').getByRole('status');
      const choose = async (ticked: boolean) => {
        await page.goto('/settings');
        for (const each of mailKinds)
          await page.getByLabel(texts.settings.mails.kinds[each]).setChecked(ticked && each === kind);
        await page.getByRole('button', { name: texts.settings.mails.save, exact: true }).click();
        expect(await told().textContent()).toBe(texts.settings.told.done.mails);
      };
      const mailsSince = (from: number) =>
        world.mails.slice(from).flatMap(({ to, text }) => (to === alice.email ? [decoded(text)] : []));

      await page.goto('/settings');
      await page.locator('#language').selectOption(texts.language);
      await page.locator('#language-card button').click();
      expect(await told().textContent()).toBe(texts.settings.told.done.language);
      const from = world.mails.length;
      /** Where counting everybody took long here, workers would not do it again for a while. */
      const raise = async () => {
        await database.keptFigure.deleteMany();
        await raiseNotices(resources);
      };
      await choose(false);
      await database.notice.deleteMany({ where });
      await database.grant.updateMany({ where, data: mailed[kind].arrange(world) });
      await raise();
      expect(await database.notice.count({ where })).toBe(0);
      await choose(true);
      await raise();
      await sendNotices(resources);
      await expect.poll(() => mailsSince(from)).toEqual([expect.stringContaining(mailed[kind].words(texts))]);
      await database.grant.updateMany({ where, data: { state, reason, maxDeadline } });
    });
  });

  test.for([
    ['browse/calendars/Personal', 'Piano'],
    ['view/calendars/Personal/event-01.ics', 'When'],
    ['view/contacts/Friends/contact-01.vcf', 'Mail'],
    ['browse/mail/INBOX', 'Photo of the garden'],
  ])(
    'an event, a contact or a message is told by what it says, fits, and axe finds nothing: %s',
    async ([path = '', word = '']) => {
      const page = world.pages.alice;
      await page.goto(`/snapshots/${world.snapshot.id}/${path}`);
      await page.locator('main').getByText(word).first().waitFor();
      await page.locator('main details').evaluateAll('all => all.forEach((one) => { one.open = true; })');
      await openAxe(page);
      for (const width of [1280, 390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        expect(await page.evaluate(spilling), `${width}`).toEqual([]);
        for (const theme of themes) {
          await page.emulateMedia({ colorScheme: theme });
          expect(await faultsOf(page), `${width}, ${theme}`).toEqual([]);
        }
      }
    },
  );

  it('a night is a link that the keyboard reaches, or passes over at once', async () => {
    const page = world.pages.alice;
    await page.goto('/');
    await page.getByRole('link', { name: 'Skip the nights' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('recent');
    await page.locator('.heat a').last().focus();
    await Promise.all([page.waitForURL(/\/(nights|runs)\//), page.keyboard.press('Enter')]);
    expect(await page.textContent('h1')).toMatch(/^Backups? of /);
  });

  it('a run under way is kept up to date without loading the page again, until it ends', async () => {
    const page = world.pages.alice;
    const { clock, database } = world.demo.resources;
    const where = { id: world.runs.running };
    await page.goto(`/runs/${where.id}`);
    await page.evaluate('window.isSame = true');
    await world.tell(2_345);
    await page.getByText('2,345 of about 5,000').waitFor();
    expect(await page.evaluate('window.isSame')).toBe(true);
    expect(await page.locator('progress').getAttribute('value')).toBe('2345');
    const ended = { state: 'failed', finishedAt: clock.now(), message: 'The server did not answer.' } as const;
    await database.run.update({ where, data: ended });
    await page.getByText('The server did not answer.').waitFor();
    expect(await page.evaluate('window.isSame')).toBeUndefined();
    expect(await page.locator('[data-live]').count()).toBe(0);
    await database.run.update({ where, data: { state: 'running', finishedAt: null, message: null } });
  });

  it('a restore under way is kept up to date in the same way, and the focus stays where it is', async () => {
    const page = world.pages.alice;
    const { clock, database } = world.demo.resources;
    const where = { id: world.restore };
    await page.goto(`/restores/${where.id}`);
    await page.evaluate('window.isSame = true');
    await page.getByRole('button', { name: 'Cancel' }).focus();
    for (const files of [23, 34]) {
      await database.restore.update({ where, data: { files } });
      await page.getByText(`${files} of 40`).waitFor();
    }
    expect(await page.evaluate('[window.isSame, document.activeElement.textContent]')).toEqual([true, 'Cancel']);
    await database.restore.update({ where, data: { state: 'failed', finishedAt: clock.now(), message: 'No room.' } });
    await page.getByText('No room.').waitFor();
    expect(await page.evaluate('window.isSame')).toBeUndefined();
    expect(await page.locator('[data-live]').count()).toBe(0);
    await database.restore.update({ where, data: { state: 'running', finishedAt: null, message: null } });
  });

  it('the night is kept up to date too: the focus stays on a button in what changes, and what was opened stays open', async () => {
    const page = world.pages.operator;
    const { backUps } = world.demo.resources.queues;
    const { courses } = texts.operator.tonight;
    await page.goto('/operator');
    await page.evaluate('window.isSame = true');
    await page.locator('summary').click();
    await page.locator('.trouble button').first().focus();
    await backUps.pause();
    await page.getByRole('heading', { name: courses.paused }).waitFor({ timeout: 40_000 });
    const stood = `[window.isSame, document.activeElement.name, document.querySelector('details').open]`;
    expect(await page.evaluate(stood)).toEqual([true, 'group', true]);
    await backUps.resume();
    await page.getByRole('heading', { name: courses.paused }).waitFor({ state: 'detached', timeout: 40_000 });
    expect(await page.evaluate(stood)).toEqual([true, 'group', true]);
  });

  it('a page that is kept up to date shows nothing any more once its session is over', async () => {
    const context = await world.browser.newContext({ baseURL: world.address('/') });
    const page = await context.newPage();
    await world.signIn('alice', { page });
    await page.goto(`/runs/${world.runs.running}`);
    await page.getByRole('progressbar').waitFor();
    const { webSession } = world.demo.resources.database;
    const newest = await webSession.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
    await webSession.delete({ where: { id: newest.id } });
    // Looking for words in it would count as an act of its reader.
    const loadedAgain = page.waitForEvent('load', { timeout: 60_000 });
    // As if the reader had been away: its events are asked for anew.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await loadedAgain;
    expect(await page.textContent('main')).toContain(texts.signedOut.lead);
    expect(await page.getByRole('progressbar').count()).toBe(0);
    await context.close();
  });

  it('without scripts they load themselves again', async () => {
    const storageState = await world.contexts.alice.storageState();
    const plain = await world.browser.newContext({ javaScriptEnabled: false, storageState });
    const without = await plain.newPage();
    await without.goto(world.address(`/runs/${world.runs.running}`));
    await world.tell(3_456);
    await without.getByText('3,456 of about 5,000').waitFor({ timeout: 15_000 });
    const { restore } = world.demo.resources.database;
    await without.goto(world.address(`/restores/${world.restore}`));
    await restore.update({ where: { id: world.restore }, data: { files: 35 } });
    await without.getByText('35 of 40').waitFor({ timeout: 15_000 });
    await plain.close();
  });

  describe('Bull Board', () => {
    const runId = randomUUID();
    const jobId = `run-${runId}-0`;
    /** It has no name but its picture; the last one is that of the job. */
    const takeAway = 'button:has(.lucide-trash2)';
    const open = async (page: Page) => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto('/operator/queues/board');
      await page.getByText('back-ups').first().waitFor();
      await page.goto('/operator/queues/board/queue/back-ups?status=delayed');
      await page.getByText(jobId).first().waitFor();
    };
    beforeAll(() => world.demo.resources.queues.backUps.enqueue([{ runId, attempt: 0, delayMs: dayMs }]));

    it('shows the jobs for looking only, with nothing that our policy refuses', async () => {
      const page = world.pages.operator;
      const trouble = await troubleOf(page, async () => {
        await open(page);
        if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'operator-board.png') });
        expect(await page.locator(takeAway).count()).toBe(0);
      });
      expect(trouble).toEqual([]);
    });

    it('takes a job away where that is enabled, and it is in the audit', async () => {
      const page = world.pages.operator;
      const { config, database, queues } = world.demo.resources;
      Object.assign(config, { queueBoard: 'writable' });
      const trouble = await troubleOf(page, async () => {
        await open(page);
        await page.locator(takeAway).last().click();
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText(jobId).first().waitFor({ state: 'detached' });
      });
      Object.assign(config, { queueBoard: 'read-only' });
      expect(trouble).toEqual([]);
      expect((await queues.backUps.list(50)).filter(({ runId: one }) => one === runId)).toEqual([]);
      const latest = await database.audit.findFirst({ orderBy: { id: 'desc' } });
      expect(latest).toMatchObject({ act: 'queue-changed', about: `PUT /api/queues/back-ups/${jobId}/clean` });
    });
  });

  test.for(
    Object.keys(rows)
      .flatMap((name) => ofKind('act').filter((one) => one.name === name))
      .map(({ name, ...rest }) => [name, rest] as const),
  )('is pressed: %s', async ([, { route, row }]) => {
    const who = row.by ?? (route.who === 'operator' ? 'operator' : 'alice');
    const page = world.pages[who];
    // How long ago they signed in depends on the machine.
    if ('fresh' in route && who !== 'stranger') await world.signIn(who, { freshly: true });
    await row.arrange?.(world);
    const address = addressOf(route, row);
    const trouble = await troubleOf(page, async () => {
      await page.goto(typeof row.on === 'string' ? row.on : row.on(world));
      await row.first?.(page);
      for (const [name, text] of Object.entries(row.fill ?? {})) await page.locator(`input[name="${name}"]`).fill(text);
      await page
        .locator(`button[formaction="${address}"], form[action="${address}"] button:not([formaction])`)
        .first()
        .click();
      await row.next?.(page);
      await page.locator('main').getByText(row.says).first().waitFor();
    });
    expect(trouble).toEqual([]);
  });

  it('no action of the table is left that nobody pressed who may', () => {
    const matches = ({ method, path }: Route, pressed: Press) =>
      (method === 'ALL' || method === pressed.method) &&
      new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+').replace('*', '.*')}$`).test(pressed.path);
    const isPressed = ({ route, row }: (typeof table)[number]) =>
      world.presses.some(
        (one) =>
          matches(route, one) && one.status < 400 && row !== undefined && welcome(route, row).includes(one.visitor),
      );
    const actions = table.filter(({ route: { method, who } }) => method !== 'GET' && who !== 'provider');
    expect(actions.filter((one) => !isPressed(one)).map(({ name }) => name)).toEqual([]);
  });
});
