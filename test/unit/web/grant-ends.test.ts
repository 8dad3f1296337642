import { describe, expect, it } from 'vitest';
import type { GrantView } from '../../../src/database/consent/grant-views.ts';
import { dayMs } from '../../../src/durations.ts';
import { lastsPart } from '../../../src/web/pages/grant-ends.ts';
import type { Session } from '../../../src/web/session.ts';
import { texts } from '../../../src/web/texts/en.ts';
import type { PersonVisit } from '../../../src/web/visit.ts';

const now = new Date('2026-05-04T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * dayMs);
const t = texts.grant.lasts;

const view = {
  state: 'active',
  lastExchangedAt: inDays(-0.5),
  idleDeadline: inDays(29.5),
  maxDeadline: null,
  nextExchangeAt: inDays(7),
  idleSeconds: null,
  user: { email: 'alice@example.org', mutedMails: [] },
  plans: [
    { zone: 'UTC', windowStart: '01:00', windowEnd: '05:00', files: undefined, paused: false, nextDueAt: inDays(0.6) },
  ],
} as unknown as GrantView;

/** The days and words of the calendar, and what is said beneath it. */
async function shown(changes: Partial<GrantView> = {}, mail: object | null = {}) {
  const resources = { clock: { now: () => now }, config: mail === null ? {} : { mail } };
  const visit = { resources, texts, session: {} as Session } as unknown as PersonVisit;
  const html = String(await lastsPart(visit, { ...view, ...changes })).replaceAll('&#39;', "'");
  const rows = [...html.matchAll(/<time[^>]*>(\d+ \w+) [^<]*<\/time><span>(?:<strong>)?([^<]*)\.</g)];
  return { rows: rows.map(([, at, what]) => [at, what]), html };
}

describe('the calendar of a consent', () => {
  it('tells what keeps it alive, the end unused, and that a fixed end is not known', async () => {
    const { rows, html } = await shown();
    expect(rows).toEqual([
      ['4 May', t.used],
      ['5 May', t.night],
      ['11 May', t.kept],
      ['3 Jun', t.idle('30 days')],
    ]);
    for (const words of [t.maxUnknown, t.idleSet('30 days'), t.mail.to('alice@example.org')])
      expect(html).toContain(words);
  });

  it('tells a fixed end with its reminders, and no end unused that would come later', async () => {
    const { rows, html } = await shown({ maxDeadline: inDays(9), idleSeconds: 30 * 86_400 });
    expect(rows).toEqual([
      ['4 May', t.used],
      ['5 May', t.night],
      ['6 May', t.reminder(7, { mailed: true })],
      ['11 May', t.kept],
      ['11 May', t.reminder(2, { mailed: true })],
      ['13 May', t.max],
    ]);
    expect(html).toContain(t.idleLearned('30 days'));
    expect(html).not.toContain(t.maxUnknown);
  });

  it.each([0, -1_000])(
    'tells only the fixed end where tokens end with it, and the idle window that they told of before',
    async (ms) => {
      const maxDeadline = inDays(2);
      const idleDeadline = new Date(maxDeadline.getTime() + ms);
      const ends = { maxDeadline, idleDeadline, nextExchangeAt: idleDeadline, idleSeconds: 30 * 86_400 };
      const { rows, html } = await shown(ends);
      expect(rows).toEqual([
        ['4 May', t.used],
        ['5 May', t.night],
        ['6 May', t.max],
      ]);
      expect(html).toContain(t.idleLearned('30 days'));
    },
  );

  it.each([null, 2.5 * 86_400])(
    'does not take what is left until the fixed end for the time that it lives unused (%j seconds learned)',
    async (idleSeconds) => {
      const idleDeadline = inDays(2);
      const { rows, html } = await shown({
        maxDeadline: inDays(2),
        idleDeadline,
        nextExchangeAt: idleDeadline,
        idleSeconds,
      });
      expect(rows.at(-1)).toEqual(['6 May', t.max]);
      expect(html).not.toContain('Without use it ends');
      expect(html).not.toContain(t.idle('3 days'));
    },
  );

  it.each([
    ['before that end', 0.1],
    ['after it', -0.1],
  ])('promises no use after the end unused where keep-alive is overdue, %s', async (_, left) => {
    const overdue = {
      lastExchangedAt: inDays(left - 1),
      idleDeadline: inDays(left),
      nextExchangeAt: inDays(left - 0.75),
    };
    expect((await shown(overdue)).rows.map(([, what]) => what)).toEqual([t.used, t.idle('24 hours')]);
  });

  it('tells of the night after the end unused where keep-alive comes before', async () => {
    const short = { lastExchangedAt: now, idleDeadline: inDays(0.25), nextExchangeAt: inDays(0.06) };
    expect((await shown(short)).rows.map(([, what]) => what)).toEqual([t.used, t.kept, t.idle('6 hours'), t.night]);
  });

  it('names no night where they are paused', async () => {
    const [plan] = view.plans;
    const { rows } = await shown({ plans: plan ? [{ ...plan, paused: true }] : [] });
    expect(rows.map(([, what]) => what)).not.toContain(t.night);
  });

  it.each([
    [45, '45 minutes'],
    [12 * 60, '12 hours'],
    [3 * 1440, '3 days'],
  ])('writes %d minutes unused as %s', async (minutes, words) => {
    const idleDeadline = new Date(view.lastExchangedAt.getTime() + minutes * 60_000);
    expect((await shown({ idleDeadline })).html).toContain(t.idleSet(words));
  });

  it.each([
    [null, 'alice@example.org', t.mail.noServer],
    [{}, null, t.mail.noAddress],
  ])('says that nothing is mailed where mail is %j and the address %s', async (mail, email, words) => {
    const { html, rows } = await shown({ user: { email, mutedMails: [] }, maxDeadline: inDays(9) }, mail);
    expect(html).toContain(words);
    expect(rows).toContainEqual(['6 May', t.reminder(7, { mailed: false })]);
  });

  it('promises no mail to whoever wants none of it', async () => {
    const user = { email: 'alice@example.org', mutedMails: ['consent-ends'] };
    const { html, rows } = await shown({ user, maxDeadline: inDays(9) });
    expect(html).toContain(t.mail.muted);
    expect(html).not.toContain('alice@example.org');
    expect(rows).toContainEqual(['6 May', t.reminder(7, { mailed: false })]);
    const other = await shown({ user: { ...user, mutedMails: ['trouble'] }, maxDeadline: inDays(9) });
    expect(other.html).toContain(t.mail.to('alice@example.org'));
  });
});
