import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ExchangeView, GrantView } from '../../../src/database/grant-views.ts';
import type { House } from '../../../src/web/house.ts';
import { texts } from '../../../src/web/texts.ts';
import { fakeHouse } from './fake-house.ts';
import { visitor } from './visitor.ts';

const day = 86_400_000;
const now = Date.parse('2026-05-04T12:00:00Z');
const from = (ms: number) => new Date(now + ms);

const grant: GrantView = {
  id: randomUUID(),
  state: 'active',
  reason: null,
  issuer: 'https://id.example',
  scope: 'openid offline_access',
  lastExchangedAt: from(-day),
  idleDeadline: from(29 * day),
  maxDeadline: null,
  nextExchangeAt: null,
  endedAt: null,
  consents: [{ agreedAt: from(-day), scope: 'openid offline_access', terms: { files: 'all' }, method: 'browser' }],
  plans: [{ zone: 'UTC' }],
  snapshots: { kept: true, eraseAt: null, erased: null },
};

/** A browser of alice, whose consent is as given. */
async function signedIn(view: Partial<GrantView> = {}, overrides: Partial<House> = {}) {
  const shown = { ...grant, ...view };
  const { house, asked } = fakeHouse();
  const findHome: House['findHome'] = async (userId) => ({ ...(await house.findHome(userId)), grant: shown });
  const browser = visitor({ ...house, findHome, findGrant: async () => shown, ...overrides });
  await browser.signIn();
  const text = async (path: string) => readable(await (await browser.send(path)).text());
  return { ...browser, asked, text };
}

/** What a reader sees of an escaped text. */
function readable(html: string): string {
  return html.replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

describe('a consent that is not well', () => {
  it.each(Object.entries(texts.consentEnds.reasons))(
    'is explained on both pages: %s',
    async (reason, { happened, act }) => {
      for (const state of ['needs_consent', 'withdrawn']) {
        const { text } = await signedIn({ state, reason, endedAt: from(0) });
        for (const path of ['/', '/grant']) {
          expect(await text(path)).toContain(happened);
          expect(await text(path)).toContain(act);
          expect(await text(path)).toContain('href="/consent"');
        }
      }
    },
  );

  it('that is only suspected asks nothing of the person yet, and says when it is asked again', async () => {
    const { text } = await signedIn({ state: 'suspect', reason: 'ended_at_provider', nextExchangeAt: from(900_000) });
    for (const path of ['/', '/grant']) expect(await text(path)).toContain(texts.consentEnds.suspect);
    expect(await text('/grant')).toContain('4 May 2026, 12:15');
    expect(await text('/grant')).not.toContain(texts.consentEnds.reasons.ended_at_provider?.act ?? '-');
  });

  it('of a kind that has no words of its own is told as ended', async () => {
    const { text } = await signedIn({ state: 'needs_consent', reason: 'of a later version' });
    expect(await text('/')).toContain(texts.consentEnds.unknown.happened);
  });

  it('because the provider is in trouble says that the operator was told, and nothing else', async () => {
    const { text } = await signedIn({ troubled: true });
    for (const path of ['/', '/grant']) expect(await text(path)).toContain(texts.consentEnds.troubled);
    expect(await (await signedIn()).text('/')).not.toContain(texts.consentEnds.troubled);
  });
});

describe('the end that no exchange puts off', () => {
  it.each([
    [15 * day, undefined],
    [14 * day, 'Your consent ends in 14 days'],
    [7 * day - 1, 'Your consent ends in 7 days'],
    [day / 2, 'Your consent ends within a day'],
    [-1, undefined],
  ])('in %d ms is told on home, consent and renewal pages: %s', async (left, words) => {
    const { text } = await signedIn({ maxDeadline: from(left) });
    for (const path of ['/', '/grant', '/consent'])
      expect((await text(path)).includes('Your consent ends')).toBe(words !== undefined);
    if (words !== undefined) expect(await text('/')).toContain(words);
  });

  it('is nothing any more for a consent that has ended', async () => {
    const { text } = await signedIn({ state: 'withdrawn', maxDeadline: from(day) });
    expect(await text('/')).not.toContain('Your consent ends');
  });

  it('of each consent that was renewed stays on record', async () => {
    const [newest] = grant.consents;
    if (newest === undefined) throw new Error('There is one.');
    const { text } = await signedIn({ consents: [newest, { ...newest, agreedAt: from(-90 * day) }] });
    expect(await text('/grant')).toContain('3 Feb 2026, 12:00');
  });

  it('is put off by renewing, which says what stays', async () => {
    expect(await (await signedIn()).text('/consent')).toContain(texts.consent.renewTitle);
    const ended = await signedIn({ state: 'needs_consent' });
    expect(await ended.text('/consent')).toContain(texts.consent.title);
  });
});

describe('withdrawing', () => {
  it.each([
    [{}, '90'],
    [{ snapshots: '30' }, '30'],
    [{ snapshots: '365' }, '365'],
    [{ snapshots: 'now', sure: 'yes' }, 'now'],
  ])('with %o keeps the snapshots: %s', async (fields, kept) => {
    const browser = await signedIn();
    const answer = await browser.post('/grant/withdraw', { csrf: await browser.csrf(), ...fields });
    expect(answer.headers.get('location')).toBe('/grant');
    expect(browser.asked).toEqual([expect.stringMatching(new RegExp(`^withdraw \\S+ ${kept}$`))]);
  });

  it('and erasing everything at once is asked for twice', async () => {
    const browser = await signedIn();
    const answer = await browser.post('/grant/withdraw', { csrf: await browser.csrf(), snapshots: 'now' });
    expect(await answer.text()).toContain(texts.withdraw.sureLead);
    expect(browser.asked).toEqual([]);
  });

  it('refuses a choice that was not offered', async () => {
    const browser = await signedIn();
    const answer = await browser.post('/grant/withdraw', { csrf: await browser.csrf(), snapshots: '9999' });
    expect(answer.status).toBe(400);
    expect(browser.asked).toEqual([]);
  });

  it('says what became of the token at the provider', async () => {
    for (const state of ['revoked', 'outstanding', 'expired', 'shredded'] as const) {
      const { text } = await signedIn({ state: 'withdrawn', endedAt: from(0), revocation: { state, at: from(0) } });
      expect(await text('/grant')).toContain(texts.grant.revocation[state]('4 May 2026, 12:00'));
    }
  });
});

describe('the snapshots of somebody who withdrew', () => {
  const ended = { state: 'withdrawn', reason: 'withdrawn', endedAt: from(0) };

  it('stay until their date, which can be changed', async () => {
    const browser = await signedIn({ ...ended, snapshots: { kept: true, eraseAt: from(90 * day), erased: null } });
    expect(await browser.text('/grant')).toContain('Your snapshots stay until 2 Aug 2026, 12:00');
    await browser.post('/grant/snapshots', { csrf: await browser.csrf(), snapshots: '30' });
    const answer = await browser.post('/grant/snapshots', { csrf: await browser.csrf(), snapshots: 'now' });
    expect(await answer.text()).toContain(texts.withdraw.sureLead);
    await browser.post('/grant/snapshots', { csrf: await browser.csrf(), snapshots: 'now', sure: 'yes' });
    expect(browser.asked.map((one) => one.split(' ').at(-1))).toEqual(['30', 'now']);
  });

  it('are said to be going while they go, on a page that looks again by itself', async () => {
    const browser = await signedIn({ ...ended, snapshots: { kept: true, eraseAt: from(0), erased: null } });
    const answer = await browser.send('/grant');
    expect(answer.headers.get('refresh')).toBe('3');
    expect(await answer.text()).toContain(texts.withdraw.erasing);
  });

  it('are accounted for when they are gone', async () => {
    const erased = { repositoryId: randomUUID(), snapshots: 12, files: 345, bytes: 6_700_000, at: from(0) };
    const browser = await signedIn({ ...ended, snapshots: { kept: false, eraseAt: null, erased } });
    const text = await browser.text('/grant');
    expect(text).toContain(texts.withdraw.erasedWhat(12, 345, '6.7 MB'));
    expect(text).toContain(erased.repositoryId);
  });
});

describe('the proof of use', () => {
  const use = (index: number, rest: Partial<ExchangeView> = {}): ExchangeView => ({
    id: randomUUID(),
    startedAt: from(-index * 60_000),
    answeredAt: from(-index * 60_000 + 300),
    purpose: 'keep-alive',
    runId: null,
    night: null,
    verdict: 'ok',
    status: 200,
    errorCode: null,
    hint: null,
    ...rest,
  });
  const uses = [
    use(0, { purpose: 'run', runId: randomUUID(), night: '2026-05-04' }),
    use(1, { verdict: 'person', status: 400, errorCode: 'invalid_grant', hint: 'account_disabled' }),
    ...Array.from({ length: 2_400 }, (_, index) => use(index + 2)),
  ];
  const listExchanges: House['listExchanges'] = async (_, { before, limit }) => {
    const start = before === undefined ? 0 : uses.findIndex(({ id }) => id === before) + 1;
    return uses.slice(start, start + limit);
  };

  it('says when, for which run, and what came back in words', async () => {
    const text = await (await signedIn({}, { listExchanges })).text('/grant');
    expect(text).toContain(`<a href="/runs/${uses[0]?.runId}">the backup of 2026-05-04</a>`);
    expect(text).toContain('refused: your account is disabled there');
    expect(text).toContain('4 May 2026, 11:59');
    expect(text).not.toContain('invalid_grant');
  });

  it('comes a page at a time, and says so', async () => {
    const { text } = await signedIn({}, { listExchanges });
    const first = await text('/grant');
    expect(first).toContain(texts.uses.shown(100));
    expect(first).toContain(`/grant?before=${uses[99]?.id}`);
    const second = await text(`/grant?before=${uses[99]?.id}`);
    expect(second).toContain(`/grant?before=${uses[199]?.id}`);
    const last = await text(`/grant?before=${uses.at(-3)?.id}`);
    expect(last).toContain(texts.uses.shown(2));
    expect(last).not.toContain(texts.uses.older);
  });

  it('refuses an address that is no place in it', async () => {
    const browser = await signedIn({}, { listExchanges });
    expect((await browser.send("/grant?before=';--")).status).toBe(404);
  });

  it('can be had whole as CSV and as JSON', async () => {
    const browser = await signedIn({}, { listExchanges });
    const csv = await browser.send('/grant/uses.csv');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="nightkeep-uses.csv"');
    const lines = (await csv.text()).trimEnd().split('\r\n');
    expect(lines).toHaveLength(uses.length + 1);
    expect(lines[0]).toBe('"at","answeredAt","for","run","night","verdict","status","error","answer"');
    expect(lines[2]).toBe(
      '"2026-05-04T11:59:00.000Z","2026-05-04T11:59:00.300Z","keep-alive","","","person","400","invalid_grant","refused: your account is disabled there"',
    );
    const json: unknown = await (await browser.send('/grant/uses.json')).json();
    expect(json).toHaveLength(uses.length);
    expect(json).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ for: 'run', night: '2026-05-04', verdict: 'ok', status: 200 }),
        expect.objectContaining({ error: 'invalid_grant' }),
      ]),
    );
    const none = await signedIn({}, { listExchanges: async () => [] });
    expect(await (await none.send('/grant/uses.json')).json()).toEqual([]);
  });

  it('is for whoever is signed in only', async () => {
    const stranger = visitor(fakeHouse({ listExchanges }).house);
    for (const path of ['/grant', '/grant/uses.csv', '/grant/uses.json'])
      expect((await stranger.send(path)).headers.get('location')).toMatch(/^\/login/);
  });
});
