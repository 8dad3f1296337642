import { randomUUID } from 'node:crypto';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Demo, startDemo } from '../../../demo/demo.ts';
import { alice, bob, carol, type Person } from '../../../demo/people.ts';
import { saveRunProgress } from '../../../src/database/nights/run-progress.ts';
import { addDays } from '../../../src/domain/nights.ts';
import { dayMs } from '../../../src/durations.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { type ReceivedMail, startSmtp } from '../servers/smtp.ts';
import { addBusyNight } from './busy-night.ts';

export const visitors = ['stranger', 'alice', 'bob', 'operator'] as const;
export type VisitorName = (typeof visitors)[number];
const people: Readonly<Record<Exclude<VisitorName, 'stranger'>, Person>> = { alice, bob, operator: carol };

/** What a page of somebody sent that was no GET, and how it was answered. */
export interface Press {
  readonly visitor: VisitorName;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** The demo with a mail server, on a busy night, with everybody in front of it in one browser; alice has a year of nights behind her. */
export interface BrowserWorld extends AsyncDisposable {
  readonly demo: Demo;
  readonly browser: Browser;
  /** Each has cookies of their own, and one page. */
  readonly contexts: Readonly<Record<VisitorName, BrowserContext>>;
  readonly pages: Readonly<Record<VisitorName, Page>>;
  /** All that their pages have sent so far. */
  readonly presses: readonly Press[];
  /** What the mail server got so far. */
  readonly mails: readonly ReceivedMail[];
  /** Runs of alice's: one that ended in part, and one that is under way. */
  readonly runs: Readonly<Record<'ended' | 'running', string>>;
  /** The night of her run that ended in part, for which there is another one. */
  readonly night: string;
  /** The receipt of somebody who was erased. */
  readonly receipt: string;
  /** A restore to the source that alice began. */
  readonly restore: string;
  /** One of hers that has ended. */
  readonly endedRestore: string;
  /** Alice's only snapshot as addresses name it, a folder in it and a file. */
  readonly snapshot: Readonly<Record<'id' | 'folder' | 'file', string>>;
  readonly userIds: Readonly<Record<'alice' | 'bob', string>>;
  address(path: string): string;
  /** In the page of theirs, or in another browser; `freshly` also where they are signed in at the provider. */
  signIn(name: Exclude<VisitorName, 'stranger'>, how?: { page?: Page; freshly?: boolean }): Promise<void>;
  /** Has the run under way tell so many entries. */
  tell(entries: number): Promise<void>;
}

/** `executablePath` is that of a Chromium. */
export async function openBrowserWorld(executablePath: string): Promise<BrowserWorld> {
  await using opened = new AsyncDisposableStack();
  const smtp = opened.use(await startSmtp());
  const settings = { SMTP_URL: smtp.url, MAIL_FROM: 'Nightkeep <nightkeep@demo.example>' };
  const demo = opened.use(await startDemo({ folder: opened.use(await temporaryFolder('browser')).path, settings }));
  const { clock, database } = demo.resources;
  const browser = opened.adopt(await chromium.launch({ executablePath, args: ['--no-sandbox'] }), (open) =>
    open.close(),
  );
  const presses: Press[] = [];
  const enter = async (visitor: VisitorName) => {
    const context = await browser.newContext({ baseURL: demo.url.href });
    context.setDefaultTimeout(20_000);
    context.on('response', (response) => {
      const [method, url] = [response.request().method(), new URL(response.url())];
      if (method === 'GET' || url.origin !== demo.url.origin) return;
      presses.push({ visitor, method, path: url.pathname, status: response.status() });
    });
    return [context, await context.newPage()] as const;
  };
  const stranger = await enter('stranger');
  const [ofAlice, ofBob, operator] = [await enter('alice'), await enter('bob'), await enter('operator')];
  const contexts = { stranger: stranger[0], alice: ofAlice[0], bob: ofBob[0], operator: operator[0] };
  const pages = { stranger: stranger[1], alice: ofAlice[1], bob: ofBob[1], operator: operator[1] };

  const signIn: BrowserWorld['signIn'] = async (name, { page = pages[name], freshly = false } = {}) => {
    await page.goto(new URL(freshly ? 'login?fresh=yes' : 'login', demo.url).href);
    await page.fill('input[name=username]', people[name].username);
    await page.fill('input[name=password]', people[name].password);
    await page.press('input[name=password]', 'Enter');
    for (const allow = page.locator('[name=decision][value=allow]'); await allow.count(); ) await allow.click();
  };
  const agree = async (page: Page) => {
    await page.goto('/consent');
    await page.getByRole('button', { name: 'Agree and continue to the provider' }).click();
    await page.locator('[name=decision][value=allow]').click();
    await page.waitForURL(demo.url.href);
  };
  for (const name of ['alice', 'bob', 'operator'] as const) await signIn(name);
  for (const name of ['alice', 'bob'] as const) await agree(pages[name]);
  const first = () =>
    database.run.findFirst({ where: { plan: { user: { username: 'alice' } }, snapshotId: { not: null } } });
  const run = await until(first);
  await until(async () => (await database.run.count({ where: { finishedAt: null } })) === 0 || null);
  await addBusyNight(database, clock.now(), demo.resources.config.provider.issuer.href);
  const runs = await addYear(demo, run);
  const { night } = await database.run.findUniqueOrThrow({ where: { id: runs.ended } });
  const userId = async (username: string) => (await database.user.findFirstOrThrow({ where: { username } })).id;
  const userIds = { alice: await userId('alice'), bob: await userId('bob') };
  const id = run.snapshotId ?? '';
  const snapshot = { id: id.slice(0, 16), folder: 'files/Notes', file: 'files/Odd%20names/UPPER.txt' };
  const tell = (entries: number) => tellProgress(demo, runs.running, entries);
  await tell(1_200);
  const receipt = randomUUID();
  const erasedAt = demo.resources.clock.now();
  const removed = { sessions: 2, consents: 1, uses: 1_234, backups: 365, notices: 3, events: 2_345 };
  const erased = { snapshots: 23, files: 4_567, bytes: 4.2e9, at: erasedAt.toISOString() };
  const remains = {
    outstanding: 0,
    ended: { revoked: 1, expired: 0, shredded: 0 },
    snapshots: { kept: false, erased },
  };
  await database.personErasure.create({
    data: { id: receipt, begunAt: erasedAt, finishedAt: erasedAt, removed, outcome: remains },
  });
  const [restore, endedRestore] = [randomUUID(), randomUUID()];
  const [askedAt, toldAt] = [clock.now(), new Date(clock.now().getTime() + dayMs)];
  const asked = { userId: userIds.alice, snapshotId: id, path: 'files/Notes', askedAt, startedAt: askedAt, toldAt };
  await database.restore.createMany({
    data: [
      { id: restore, ...asked, state: 'running', files: 12, expectedFiles: 40 },
      { id: endedRestore, ...asked, state: 'succeeded', finishedAt: askedAt },
    ],
  });
  const closing = opened.move();
  return {
    demo,
    browser,
    contexts,
    pages,
    presses,
    mails: smtp.mails,
    runs,
    night,
    receipt,
    restore,
    endedRestore,
    snapshot,
    userIds,
    signIn,
    tell,
    address: (path) => new URL(path, demo.url).href,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Asks again and again until there is something; the worker does its work meanwhile. */
async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise((resolve) => void setTimeout(resolve, 200));
  }
  throw new Error('The demo did not do it within a minute.');
}

/** Nights before the first one, and a run that is under way. */
async function addYear(
  { resources: { clock, database } }: Demo,
  first: { planId: string; night: string; queuedAt: Date },
) {
  const problems = [
    { path: 'files/Letters/a long name \u202efdp.exe', code: 'source/forbidden', message: 'Not allowed.', kept: false },
  ];
  const { planId } = first;
  const nights = Array.from({ length: 300 }, (_, index) => {
    const at = new Date(first.queuedAt.getTime() - (index + 1) * dayMs);
    const state =
      index % 23 === 3 ? ('failed' as const) : index % 19 === 5 ? ('partial' as const) : ('succeeded' as const);
    const counts = {
      entries: 5_000,
      totalBytes: 4e9 - index * 1e7,
      dataAdded: 1e6 * ((index * 37) % 60),
      ...{ filesNew: 12, filesChanged: 3, entriesGone: 1, entriesKept: 0 },
    };
    const held =
      state === 'failed' ? { message: 'The server did not answer.' } : { snapshotId: 'ab'.repeat(32), counts };
    const unread = state === 'partial' ? { problems, problemCount: 1 } : {};
    const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: new Date(at.getTime() + 90_000) };
    return {
      id: randomUUID(),
      planId,
      night: addDays(first.night, -index - 1),
      trigger: 'schedule',
      state,
      ...times,
      ...held,
      ...unread,
    };
  });
  const ended = nights.find(({ state }) => state === 'partial') ?? nights[0];
  const again = ended === undefined ? [] : [{ ...ended, id: randomUUID(), slot: 'again', trigger: 'person' }];
  await database.run.createMany({ data: [...nights, ...again] });
  const [running, at] = [randomUUID(), clock.now()];
  const until = new Date(at.getTime() + dayMs);
  const lasting = { fence: 1, triedUntil: until, leaseUntil: until };
  const begun = { queuedAt: at, dueAt: at, startedAt: at, ...lasting };
  await database.run.create({
    data: { id: running, planId, night: first.night, slot: 'shown', trigger: 'person', state: 'running', ...begun },
  });
  return { ended: ended?.id ?? '', running };
}

function tellProgress({ resources: { clock, database } }: Demo, id: string, entries: number): Promise<void> {
  const folder = 'files/Documents/Letters';
  const counts = { entries, expected: 5_000, problems: 1, bytesRead: 38e6, requests: 900, ms: 21_000 };
  return saveRunProgress(database, [{ id, fence: 1, progress: { step: 'reading', folder, ...counts } }], clock.now());
}
