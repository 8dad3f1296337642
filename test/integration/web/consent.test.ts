import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findGrantOfPerson } from '../../../src/database/consent/grant-views.ts';
import type { Prisma } from '../../../src/database/generated/client.ts';
import { dayMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import type { TokenEnding } from '../../../src/oidc/token-ending.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { addRepository, addRun, now, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const from = (ms: number) => new Date(now + ms);

let pages: Pages;
let alice: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
});
afterAll(() => pages[Symbol.asyncDispose]());

const well = { state: 'active', reason: null, maxDeadline: null, endedAt: null } as const;

/** Alice, whose consent is as given. */
async function aliceWith(grant: Prisma.GrantUpdateInput): Promise<SignedIn> {
  const userId = await alice.userId();
  await pages.resources.database.grant.updateMany({ where: { userId }, data: { ...well, ...grant } });
  return alice;
}

describe('a consent that is not well', () => {
  it.each(['needs_consent', 'withdrawn'] as const)(
    'is explained on both pages, with what mends it: %s',
    async (state) => {
      const { text } = await aliceWith({ state, reason: 'permission_missing', endedAt: from(0) });
      const { happened, act } = texts.protection.consent.permission_missing;
      for (const [path, wayOn] of [
        ['/', '/grant'],
        ['/grant', '/consent'],
      ] as const) {
        const page = await text(path);
        for (const words of [happened, act, `href="${wayOn}"`]) expect(page).toContain(words);
      }
    },
  );

  it.each([
    ['suspect', 'expired_maximum'],
    ['active', null],
  ] as const)(
    'that is over its fixed end is said to have ended, also before anybody asked again: %s',
    async (state, reason) => {
      const { text } = await aliceWith({ state, reason, maxDeadline: from(-1_000) });
      const page = await text('/grant');
      for (const words of [`<strong>${texts.grant.states.needs_consent}</strong>`, texts.grant.again])
        expect(page).toContain(words);
      for (const words of [texts.grant.lasts.title, texts.grant.states.suspect]) expect(page).not.toContain(words);
    },
  );

  it('that is only suspected says when it is asked again', async () => {
    const reason = 'ended_at_provider';
    const { text } = await aliceWith({ state: 'suspect', reason, nextExchangeAt: from(900_000) });
    const { happened, act } = texts.protection.consent.consent_refused;
    for (const path of ['/', '/grant'])
      for (const words of [happened, act('on 4 May 2026, 12:15 UTC')]) expect(await text(path)).toContain(words);
  });
});

it('that was given again and again is read a few times only, however often that was', async () => {
  const guest = await pages.consented();
  const { database } = pages.resources;
  const { id: _, ...given } = await database.consent.findFirstOrThrow({ where: { userId: await guest.userId() } });
  const again = (count: number, minutes: number) =>
    Array.from({ length: count }, (_, number) => ({
      ...{ ...given, terms: given.terms ?? {}, id: randomUUID(), agreedAt: from(-(number + minutes) * 60_000) },
    }));
  await database.consent.createMany({ data: again(18, 1) });
  expect(await guest.text('/grant')).not.toContain(texts.grant.earlierMore);
  await database.consent.createMany({ data: again(3_000, 60) });
  const sent = await statementsOf(() => findGrantOfPerson(database, { userId: given.userId }));
  expect(sent.filter(({ text }) => text.includes('"consents"')).every(({ text }) => /LIMIT/.test(text))).toBe(true);
  const page = await guest.text('/grant');
  expect(page).toContain(texts.grant.earlierMore);
  expect(page).toContain(texts.formats.time(from(-18 * 60_000), 'UTC'));
  expect(page).not.toContain(texts.formats.time(from(-70 * 60_000), 'UTC'));
  const data: { consents: unknown[] } = JSON.parse(await (await guest.send('/settings/data.json')).text());
  expect(data.consents).toHaveLength(3_019);
});

describe('the end that no exchange puts off', () => {
  it('is told on home, consent and renewal pages', async () => {
    const { text } = await aliceWith({ maxDeadline: from(7 * dayMs - 1) });
    for (const path of ['/', '/grant', '/consent']) expect(await text(path)).toContain(texts.consentEnds.endsIn(7));
  });

  it('is put off by renewing, which says what stays', async () => {
    expect(await (await aliceWith({})).text('/consent')).toContain(texts.consent.renewTitle);
    const { text } = await aliceWith({ state: 'needs_consent' });
    expect(await text('/consent')).toContain(texts.consent.title);
  });
});

/** What a form leads to: a page that may be gone back to, and reloaded, without sending it again. */
async function followed(guest: SignedIn, answer: Response): Promise<string> {
  expect(answer.status).toBe(303);
  return guest.text(answer.headers.get('location') ?? '');
}

it('each consent that was renewed stays on record', async () => {
  const guest = await pages.consented();
  const { database } = pages.resources;
  await database.consent.updateMany({ where: { userId: await guest.userId() }, data: { agreedAt: from(-90 * dayMs) } });
  await guest.post('/consent');
  await guest.comeBack();
  const text = await guest.text('/grant');
  for (const agreed of ['3 Feb 2026, 12:00', '4 May 2026, 12:00']) expect(text).toContain(agreed);
});

describe('the record', () => {
  it('shows the sentences that were read, and what has changed since', async () => {
    const guest = await pages.consented();
    const { database } = pages.resources;
    const userId = await guest.userId();
    const read = texts.consent.whenUnlessNamed('01:00', '05:00', 'UTC');
    const before = await guest.text('/grant');
    for (const words of [read, texts.consent.version, texts.grant.since.nothing]) expect(before).toContain(words);
    expect(before).not.toContain('<pre');
    await database.plan.updateMany({ where: { userId }, data: { windowStart: '02:00', zone: 'Europe/London' } });
    const after = await guest.text('/grant');
    const { window, zone } = texts.grant.since;
    for (const words of [read, window('01:00–05:00', '02:00–05:00'), zone('UTC', 'Europe/London')])
      expect(after).toContain(words);
    expect(await guest.text('/consent')).toContain(texts.consent.whenValue('02:00', '05:00', 'Europe/London'));
  });

  it('of an older kind is shown as well as it can be, and compared as far as it says', async () => {
    const guest = await pages.consented();
    const terms = {
      files: 'https://old.example/',
      window: { start: '01:00', end: '05:00', zone: 'UTC' },
      retention: {},
    };
    await pages.resources.database.consent.updateMany({ where: { userId: await guest.userId() }, data: { terms } });
    const text = await guest.text('/grant');
    const { since, oldRecord, kept } = texts.grant;
    for (const words of [oldRecord, kept, since.files('https://old.example/', 'https://cloud.example/')])
      expect(text).toContain(words);
  });
});

it('nothing is begun in sentences that are others than those that were read', async () => {
  const guest = await pages.newPerson();
  const [, read = ''] = /name="read" value="([^"]+)"/.exec(await guest.text('/consent')) ?? [];
  const { config } = pages.resources;
  const { window } = config;
  config.window = { ...window, start: '03:00' };
  const answer = await guest.post('/consent', { read });
  const page = await followed(guest, answer);
  config.window = window;
  for (const words of [texts.consent.changed, 'between 03:00 and 05:00']) expect(page).toContain(words);
});

describe('withdrawing', () => {
  const grantOf = async (guest: SignedIn) =>
    pages.resources.database.grant.findFirstOrThrow({ where: { userId: await guest.userId() } });
  const eraseAtOf = async (guest: SignedIn) =>
    (await pages.resources.database.repository.findFirstOrThrow({ where: { userId: await guest.userId() } })).eraseAt;
  const backedUp = async () => {
    const guest = await pages.consented();
    await addRepository(pages, guest);
    return guest;
  };

  it.each([
    [{}, 90],
    [{ snapshots: '30' }, 30],
    [{ snapshots: '365' }, 365],
    [{ snapshots: 'now', sure: 'yes' }, 0],
  ])('with %o keeps the snapshots for %d days', async (fields, days) => {
    const guest = await backedUp();
    expect((await guest.post('/grant/withdraw', { sure: 'yes', ...fields })).headers.get('location')).toBe('/grant');
    expect(await grantOf(guest)).toMatchObject({ state: 'withdrawn', reason: 'withdrawn' });
    expect(await eraseAtOf(guest)).toEqual(from(days * dayMs));
  });

  it('has a step of its own, which says what becomes of everything before anything ends', async () => {
    const guest = await backedUp();
    const grant = await guest.text('/grant');
    expect(grant).toContain('href="/grant/withdraw"');
    expect(grant).not.toContain('action="/grant/withdraw"');
    const step = await guest.text('/grant/withdraw');
    for (const words of [
      texts.withdraw.leads.ended,
      'action="/grant/withdraw"',
      'stay 90 days, until 2 Aug 2026, 12:00',
    ])
      expect(step).toContain(words);
    expect(await grantOf(guest)).toMatchObject({ state: 'active' });
    await guest.post('/grant/withdraw', { sure: 'yes' });
    expect((await guest.send('/grant/withdraw')).headers.get('location')).toBe('/grant');
  });

  it('is asked for twice, the second time with what becomes of the snapshots', async () => {
    const guest = await backedUp();
    const answer = await followed(guest, await guest.post('/grant/withdraw', { snapshots: '30' }));
    for (const words of [texts.withdraw.sureEndTitle, 'stay until 3 Jun 2026, 12:00', 'name="sure" value="yes"'])
      expect(answer).toContain(words);
    expect(answer).toContain('name="snapshots" value="30"');
    expect(await grantOf(guest)).toMatchObject({ state: 'active' });
  });

  it.each([
    ['365', 'now', 0],
    ['now', '30', 30],
  ])('in two browsers, of which one said %s, does what the other said last: %s', async (first, last, days) => {
    const guest = await backedUp();
    const elsewhere = await pages.newPerson(guest.person);
    await guest.post('/grant/withdraw', { snapshots: first, sure: 'yes' });
    await elsewhere.post('/grant/withdraw', { snapshots: last, sure: 'yes' });
    expect(await eraseAtOf(guest)).toEqual(from(days * dayMs));
  });

  it('and erasing everything erases it though an operator withdrew for them meanwhile', async () => {
    const guest = await backedUp();
    const { id } = await grantOf(guest);
    await withdrawConsent(pages.resources, { grantId: id, by: 'operator:x', reason: 'withdrawn_by_operator' });
    expect(await eraseAtOf(guest)).toBeNull();
    await guest.post('/grant/withdraw', { snapshots: 'now', sure: 'yes' });
    expect(await eraseAtOf(guest)).toEqual(from(0));
  });

  it('and erasing everything at once is asked for twice', async () => {
    const guest = await backedUp();
    const answer = await guest.post('/grant/withdraw', { snapshots: 'now' });
    expect(await followed(guest, answer)).toContain(texts.withdraw.sureLead);
    expect(await grantOf(guest)).toMatchObject({ state: 'active' });
  });

  it('refuses a choice that was not offered', async () => {
    const guest = await backedUp();
    expect((await guest.post('/grant/withdraw', { snapshots: '9999' })).status).toBe(400);
    expect(await grantOf(guest)).toMatchObject({ state: 'active' });
  });

  it('leaves the snapshots until their date, which can be changed', async () => {
    const guest = await backedUp();
    await guest.post('/grant/withdraw', { sure: 'yes' });
    expect(await guest.text('/grant')).toContain('Your snapshots stay until 2 Aug 2026, 12:00');
    await guest.post('/grant/snapshots', { snapshots: '30' });
    expect(await eraseAtOf(guest)).toEqual(from(30 * dayMs));
    const answer = await guest.post('/grant/snapshots', { snapshots: 'now' });
    const sure = await followed(guest, answer);
    for (const words of [texts.withdraw.sureLead, 'action="/grant/snapshots"']) expect(sure).toContain(words);
    expect(await eraseAtOf(guest)).toEqual(from(30 * dayMs));
    await guest.post('/grant/snapshots', { snapshots: 'now', sure: 'yes' });
    expect(await eraseAtOf(guest)).toEqual(from(0));
  });

  it('says of snapshots that they are going while they go, on a page that looks again by itself', async () => {
    const guest = await backedUp();
    await guest.post('/grant/withdraw', { snapshots: 'now', sure: 'yes' });
    const answer = await guest.send('/grant');
    expect(answer.headers.get('refresh')).toBeNull();
    const text = await answer.text();
    expect(text).toContain(
      `<div data-part="status" role="status"><p class="card warn">${texts.withdraw.erasing}</p></div>`,
    );
    expect(text).toMatch(/<script src="\/live-.*<noscript><meta http-equiv="refresh"/);
  });

  it('accounts for what was erased', async () => {
    const guest = await pages.consented();
    await guest.post('/grant/withdraw', { sure: 'yes' });
    const told = { reason: 'its-id: 12 snapshots, 345 files, 6700000 bytes', at: from(0), by: 'schedule' };
    const about = { subjectKind: 'user', subjectId: await guest.userId(), to: 'snapshots erased' };
    await pages.resources.database.event.create({ data: { ...about, ...told } });
    const text = await guest.text('/grant');
    expect(text).toContain(texts.withdraw.erasedWhat(12, 345, '6.7 MB'));
    expect(text).toContain('its-id');
  });

  it.each(['revoked', 'expired', 'shredded'] as const)('says what became of the token: %s', async (end) => {
    const guest = await pages.consented();
    await guest.post('/grant/withdraw', { sure: 'yes' });
    const { id } = await grantOf(guest);
    const { database } = pages.resources;
    await database.event.updateMany({ where: { subjectId: id, to: 'revoked' }, data: { to: end } });
    expect(await guest.text('/grant')).toContain(texts.grant.revocation[end]('4 May 2026, 12:00 UTC'));
  });
});

describe('a provider without a revocation endpoint', () => {
  const noRevocation = { ending: { revocation: false } };

  it.each<[TokenEnding | undefined, string]>([
    [{ revocation: true }, texts.withdraw.leads.ended],
    [{ revocation: false }, texts.withdraw.leads.destroyed],
  ])('is not said to end tokens: with %o the page says so before', async (ending, lead) => {
    const guest = await pages.consented();
    pages.atProvider = { ...guest.person, ...(ending && { ending }) };
    expect(await guest.text('/grant/withdraw')).toContain(lead);
    for (const other of Object.values(texts.withdraw.leads).filter((one) => one !== lead))
      expect(await guest.text('/grant/withdraw')).not.toContain(other);
  });

  it('that is away is not said to be told, nor not to be', async () => {
    const guest = await pages.consented();
    const { issuer } = pages.resources;
    const { tokenEnding } = issuer;
    Object.assign(issuer, { tokenEnding: async () => undefined });
    expect(await guest.text('/grant/withdraw')).toContain(texts.withdraw.leads.unknown);
    Object.assign(issuer, { tokenEnding });
  });

  it.each([
    [noRevocation, texts.grant.endThereBy],
    [{ ending: { revocation: false, page: 'https://id.example/apps' } }, 'href="https://id.example/apps"'],
  ])('leaves a record that says where the token can be ended: %o', async (person, where) => {
    const guest = await pages.consented();
    pages.atProvider = { ...guest.person, ...person };
    const { issuer } = pages.resources;
    const { revoke } = issuer;
    const detail = { error: 'OAUTH_MISSING_SERVER_METADATA' };
    Object.assign(issuer, { revoke: () => Promise.reject(new AppError('provider/unavailable', 'None.', { detail })) });
    await guest.post('/grant/withdraw', { sure: 'yes' });
    Object.assign(issuer, { revoke });
    const page = await guest.text('/grant');
    for (const words of [texts.grant.revocation.shredded('4 May 2026, 12:00 UTC'), texts.grant.endThere, where])
      expect(page).toContain(words);
    expect(page).not.toContain('ended there too');
  });
});

describe('the proof of use', () => {
  const count = 2_402;
  let guest: SignedIn;
  let run: string;
  let ids: string[];
  beforeAll(async () => {
    guest = await pages.consented();
    run = await addRun(pages, guest);
    ids = await addUses(guest, run, count);
  });

  it('says when, for which run, and what came back in words', async () => {
    const text = await guest.text('/grant');
    expect(text).toContain(`<a href="/runs/${run}">the backup of Mon, 4 May 2026</a>`);
    expect(text).toContain('refused: your account is disabled there');
    expect(text).toContain('4 May 2026, 11:59');
    expect(text).not.toContain('invalid_grant');
  });

  it('names the backup where its record has gone before the use, and leads nowhere', async () => {
    const other = await pages.consented();
    const gone = await addRun(pages, other);
    await addUses(other, gone, 3);
    await pages.resources.database.run.delete({ where: { id: gone } });
    const text = await other.text('/grant');
    expect(text).toContain(texts.uses.purposes.run);
    expect(text).not.toContain('href="/runs/');
  });

  it('comes a page at a time, and says so', async () => {
    const first = await guest.text('/grant');
    expect(first).toContain(texts.uses.shown(100));
    expect(first).toContain(`/grant?before=${ids[99]}`);
    expect(await guest.text(`/grant?before=${ids[99]}`)).toContain(`/grant?before=${ids[199]}`);
    const last = await guest.text(`/grant?before=${ids.at(-3)}`);
    expect(last).toContain(texts.uses.shown(2));
    expect(last).not.toContain(texts.uses.older);
  });

  it.each(["';--", 'no-id'])('refuses an address that is no place in it: %s', async (before) => {
    expect((await guest.send(`/grant?before=${before}`)).status).toBe(404);
  });

  it('can be had whole as CSV and as JSON', async () => {
    const csv = await guest.send('/grant/uses.csv');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="nightkeep-uses.csv"');
    const lines = (await csv.text()).trimEnd().split('\r\n');
    expect(lines).toHaveLength(count + 1);
    expect(lines[0]).toBe('"at","answeredAt","for","run","night","verdict","status","error","answer"');
    expect(lines[2]).toBe(
      '"2026-05-04T11:59:00.000Z","2026-05-04T11:59:00.300Z","keep-alive","","","person","400","invalid_grant","refused: your account is disabled there"',
    );
    const json: unknown = await (await guest.send('/grant/uses.json')).json();
    expect(json).toHaveLength(count);
    expect(json).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ for: 'run', night: '2026-05-04', verdict: 'ok', status: 200 }),
        expect.objectContaining({ error: 'invalid_grant' }),
      ]),
    );
  });

  it('of somebody who never consented is empty', async () => {
    const bob = await pages.newPerson();
    expect(await (await bob.send('/grant/uses.json')).json()).toEqual([]);
  });
});

/** So many uses a minute apart, the newest for the run, the one before refused, in place of what is there; and their ids. */
async function addUses(guest: SignedIn, runId: string, count: number): Promise<string[]> {
  const { database, holder } = pages.resources;
  const { id: grantId } = await database.grant.findFirstOrThrow({ where: { userId: await guest.userId() } });
  await database.exchange.deleteMany({ where: { grantId } });
  const ofRun = { purpose: 'run', runId };
  const refused = { verdict: 'person', status: 400, errorCode: 'invalid_grant', hint: 'account_disabled' };
  const uses = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    grantId,
    generation: 1,
    fence: 0,
    holder,
    startedAt: from(-index * 60_000),
    answeredAt: from(-index * 60_000 + 300),
    purpose: 'keep-alive',
    verdict: 'ok',
    status: 200,
    ...(index === 0 && ofRun),
    ...(index === 1 && refused),
  }));
  await database.exchange.createMany({ data: uses });
  return uses.map(({ id }) => id);
}
