import { describe, expect, test } from 'vitest';
import type { ProtectionReason } from '../../../src/domain/protection-reasons.ts';
import {
  isAboutConsent,
  leadOf,
  reasonPart,
  type Told,
  toneOf,
  wayOn,
} from '../../../src/web/pages/protection-words.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { type Texts, texts } from '../../../src/web/texts/en.ts';
import { readOut } from '../../support/fixtures/texts-read-out.ts';

const told = (over: Partial<Told> = {}): Told => ({
  verdict: 'protected',
  reason: 'complete',
  mend: 'nothing',
  consent: 'living',
  until: null,
  retry: null,
  pausedSince: null,
  runId: null,
  ...over,
});
const t = texts.home;

describe('the answer to "am I protected?"', () => {
  test.each([
    [{}, t.protected, 'good'],
    [{ reason: 'server_away' }, t.soFar, 'warn'],
    [{ verdict: 'partly', reason: 'great_loss' }, t.partly, 'warn'],
    [{ verdict: 'late', reason: 'store_trouble' }, t.late, 'bad'],
    [{ verdict: 'not', reason: 'run_under_way' }, t.underway, 'warn'],
    [{ verdict: 'not', reason: 'run_waits' }, t.underway, 'warn'],
    [{ verdict: 'not', reason: 'address_wrong' }, t.not, 'bad'],
    [{ verdict: 'not', reason: 'withdrawn_by_operator', consent: 'ended' }, t.expired, 'warn'],
    [{ verdict: 'not', reason: 'no_consent', consent: 'none' }, t.none, 'warn'],
    [{ verdict: 'not', reason: 'withdrawn', consent: 'ended' }, t.expired, 'warn'],
    [{ verdict: 'not', reason: 'account_disabled', consent: 'ended' }, t.expired, 'bad'],
  ] as const)('%j: %s', (over, lead, tone) => {
    expect([leadOf(texts, told(over)), toneOf(told(over))]).toEqual([lead, tone]);
  });

  test('says how much could not be read, where nothing worse is wrong', () => {
    const unreadable = told({ verdict: 'partly', reason: 'unreadable' });
    expect(leadOf(texts, unreadable, 2)).toBe('Yes, except for 2 entries.');
    expect(leadOf(texts, unreadable)).toBe(t.partly);
    expect(leadOf(texts, told({ verdict: 'partly', reason: 'great_loss' }), 2)).toBe(t.partly);
    expect(leadOf(texts, told({ verdict: 'late', reason: 'store_trouble' }), 2)).toBe(t.late);
  });

  test('is yes without more, and green, only where all is well', () => {
    for (const reason of Object.keys({ ...texts.protection.consent, ...texts.protection.nights }) as ProtectionReason[])
      for (const verdict of ['protected', 'partly', 'late', 'not'] as const) {
        const isWell = verdict === 'protected' && reason === 'complete';
        expect(leadOf(texts, told({ verdict, reason })) === t.protected).toBe(isWell);
        expect(toneOf(told({ verdict, reason })) === 'good').toBe(isWell);
      }
  });
});

test('each reason has one sentence of what happened and one of what mends it, with the time where there is one', async () => {
  const until = new Date('2026-05-04T12:15:00Z');
  const text = async (over: Partial<Told>) => String(await reasonPart(texts, told(over), 'Europe/Berlin'));
  for (const reason of Object.keys({ ...texts.protection.consent, ...texts.protection.nights }) as ProtectionReason[])
    expect((await text({ reason })).match(/<p>\p{L}[^<]+[.!]<\/p>/gu)).toHaveLength(2);
  expect(await text({ reason: 'server_away', until })).toContain('tried again on 4 May 2026, 14:15');
  expect(await text({ reason: 'server_away' })).toContain('tried again soon');
});

test.each([
  ['en', texts, /do not have to do anything/, /apart from what is said above/i],
  ['de', german, /nichts zu tun/, /außer dem, was oben steht/i],
] as const)(
  'no sentence in %s says that there is nothing to do where a card above asks something',
  async (_, own, nothing, but) => {
    const until = new Date('2026-05-04T12:15:00Z');
    let some = 0;
    for (const reason of Object.keys({ ...own.protection.consent, ...own.protection.nights }) as ProtectionReason[])
      for (const at of [null, until]) {
        const words = async (asked: boolean) =>
          String(await reasonPart(own, told({ reason, until: at }), 'Europe/Berlin', { asked }));
        const [alone, besides] = [await words(false), await words(true)];
        expect(alone).not.toMatch(but);
        if (!nothing.test(alone)) expect(besides).toBe(alone);
        else {
          expect(besides).toMatch(but);
          some += 1;
        }
      }
    expect(some).toBeGreaterThan(10);
  },
);

test('the way on leads to what the person can do, else to what shows more', async () => {
  const href = async (over: Partial<Told>) => /href="([^"]+)"/.exec(String(await wayOn(texts, told(over))))?.[1];
  expect(await href({ mend: 'agree', reason: 'signed_out' })).toBe('/consent');
  expect(await href({ mend: 'renew', reason: 'consent_ends' })).toBe('/consent');
  expect(await href({ mend: 'look', reason: 'unreadable', runId: 'x' })).toBe('/runs/x');
  expect(await href({ mend: 'wait', reason: 'server_away', runId: 'x' })).toBe('/runs/x');
  expect(await href({ mend: 'mend_account', reason: 'account_disabled' })).toBe('/grant');
  expect(await href({ mend: 'mend_service', reason: 'no_worker' })).toBeUndefined();
  expect(await href({})).toBeUndefined();
});

test('no sentence says that somebody was told who was not, or that anything is forgotten', () => {
  // One sentence says it with a date, and only once it was delivered (test/integration/notices).
  const { operatorTold: _, ...notices } = texts.notices;
  const said = readOut({ ...texts, notices: notices as Texts['notices'] }).map(({ text }) => text);
  expect(said.filter((text) => /was told|were told|last \S+ nights, /i.test(text))).toEqual([]);
});

test('the provider in trouble concerns the consent, and a server that is away does not', () => {
  expect([isAboutConsent(texts, 'provider_trouble'), isAboutConsent(texts, 'server_away')]).toEqual([true, false]);
});

test('of a try to come it is said once when it is, and until when it is tried again', async () => {
  const retry = { at: new Date('2026-05-04T12:15:00Z'), until: new Date('2026-05-04T16:30:00Z') };
  const text = async (over: Partial<Told>) => String(await reasonPart(texts, told(over), 'Europe/Berlin'));
  const [when, until] = ['4 May 2026, 14:15 CEST', '4 May 2026, 18:30 CEST'];
  const same = await text({ reason: 'server_away', until: retry.at, retry });
  expect(same).toContain(`on ${when}, and then until ${until}`);
  expect(same.split(when)).toHaveLength(2);
  // Words that have no place for a moment are followed by it, and so are those of another one.
  const other = { reason: 'server_away', until: new Date('2026-05-05T01:00:00Z'), retry } as const;
  for (const over of [{ reason: 'address_wrong', until: retry.at, retry } as const, other])
    expect(await text(over)).toContain(texts.run.waits(when, until));
});

test.each([
  [texts, 'The night is paused for everybody. It has been paused at least since 4 May 2026, 14:15 CEST.'],
  [german, 'Die Nacht ist für alle angehalten. Sie ist spätestens seit dem 4. Mai 2026, 14:15 MESZ angehalten.'],
])('of a night that is paused for everybody it is said since when: $languageName', async (spoken, words) => {
  const pausedSince = new Date('2026-05-04T12:15:00Z');
  const paused = told({ verdict: 'late', reason: 'paused_for_all', mend: 'mend_service', pausedSince });
  expect(String(await reasonPart(spoken, paused, 'Europe/Berlin'))).toContain(words);
});

test('the way on leads where the reason can be seen or mended', async () => {
  const way = async (over: Partial<Told>) => String(await wayOn(texts, told(over)));
  expect(await way({ mend: 'agree', reason: 'no_consent' })).toContain(`>${t.agree}</a>`);
  for (const reason of ['withdrawn', 'signed_out'] as const)
    expect(await way({ mend: 'agree', reason })).toContain(`>${texts.grant.again}</a>`);
  expect(await way({ mend: 'wait', reason: 'paused_until' })).toContain('href="/settings#pause"');
  for (const reason of ['damaged', 'repository_damaged', 'repository_gone', 'unverified'] as const)
    expect(await way({ mend: 'mend_service', reason, runId: 'x' })).toContain('href="/verification"');
});

test.each([texts, german])(
  'what happened to what is backed up is told in the same words whatever it is: $languageName',
  (spoken) => {
    const reasons = Object.values({ ...spoken.protection.consent, ...spoken.protection.nights });
    const told = [
      ...reasons.flatMap(({ happened, act }) => [happened, typeof act === 'string' ? act : act('', { asked: false })]),
    ];
    const general = [spoken.tagline, spoken.welcome.lead, spoken.notices.person.subject.not, ...told];
    // One that names all of it is about all of it.
    const ofAll = /files, calendars, contacts or mail|Dateien, Kalendern, Kontakten oder E-Mails/g;
    for (const sentence of general) expect(sentence.replace(ofAll, '')).not.toMatch(/\bfiles?\b|Datei/);
  },
);
