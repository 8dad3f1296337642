import { html } from 'hono/html';
import { findRetention, type RetentionFacts, saveRetention } from '../../database/repositories/retention.ts';
import { isEmpty, type RetentionRule, ruleText } from '../../domain/retention/rule.ts';
import { foreseeRetention } from '../../flows/retention/foresee-retention.ts';
import type { JudgedSnapshot, Judgement } from '../../flows/retention/judge-snapshots.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import { agreedRuleSealing } from '../../vault/row-seals.ts';
import { form, type Html } from '../layout.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page } from '../visit.ts';

/** How many snapshots the page lists; where there are more, it leaves out the oldest and says so. */
const onePage = 400;

/** Which of the person's snapshots stay and why, which go, and what they have agreed to of it. */
export async function retention(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const facts = await findRetention(resources.database, session.userId);
  const t = texts.retention;
  const place = { place: '/snapshots' };
  if (facts === null) return page(visit, t.title, html`<p class="lead">${texts.grant.none}</p>`, place);
  if (facts.eraseAt !== null)
    return page(
      visit,
      t.title,
      html`<section class="card warn"><p class="lead">${eraseWords(visit, facts)}</p></section>`,
      place,
    );
  const judged = await foreseeRetention(resources, { userId: session.userId, facts });
  const body = html`<section class="card ${toneOf(facts, judged)}"><p class="lead">${standing(texts, facts, judged)}</p>
${facts.agreedAt === null ? offer(visit, judged.rule) : html`<p>${t.agreedAt(texts.formats.time(facts.agreedAt, facts.zone))}</p>${lastDone(texts, facts)}`}</section>
${judged.snapshots.length === 0 ? html`<p class="soft">${texts.snapshots.none}</p>` : snapshotsTable(texts, judged, facts, resources.clock.now())}`;
  return page(visit, t.title, body, place);
}

/** From now on snapshots go by the rule of the service, unless it is another one now than the page showed. */
export async function agreeToRetention({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const { clock, config, database, keyring } = resources;
  const [facts, { rule: read }] = await Promise.all([findRetention(database, userId), c.req.parseBody()]);
  if (facts === null || facts.agreedAt !== null || facts.eraseAt !== null || read !== ruleText(config.retention))
    return c.redirect('/retention', 303);
  const about = { userId, planId: facts.planId, rule: config.retention, sealing: agreedRuleSealing(keyring) };
  await saveRetention(database, { ...about, at: clock.now(), by: `user:${userId}` });
  return c.redirect('/retention', 303);
}

function standing({ retention: t, consent }: Texts, { agreedAt }: RetentionFacts, { rule, hold }: Judgement): string {
  if (agreedAt === null) return t.notAgreed;
  return hold === 'alarm' ? t.alarm : consent.keptValue(rule);
}

function toneOf({ agreedAt, hold }: RetentionFacts, judged: Judgement): string {
  if (agreedAt === null) return '';
  return judged.hold === 'alarm' || hold !== null ? 'warn' : 'good';
}

function offer({ session, texts: { retention: t, consent } }: PersonVisit, rule: RetentionRule): Html | '' {
  if (isEmpty(rule)) return '';
  return html`<p>${t.offer}</p><blockquote>${consent.keptValue(rule)}</blockquote>
${form(session, '/retention', html`<input type="hidden" name="rule" value="${ruleText(rule)}"><button>${t.agree}</button>`)}`;
}

/** That all of them go, since the consent was withdrawn, and when; empty where that is not so. */
export function eraseWords(
  { resources, texts }: PersonVisit,
  { eraseAt, zone }: { eraseAt: Date | null; zone: string | undefined },
): string {
  if (eraseAt === null) return '';
  if (eraseAt <= resources.clock.now()) return texts.retention.erasing;
  return texts.withdraw.stayUntil(texts.formats.time(eraseAt, zone));
}

/** Why snapshots did not go as agreed, where that is not for the person to look at. */
export function heldPart({ retention: t }: Texts, { hold }: RetentionFacts): Html | '' {
  if (hold === null || hold === 'alarm') return '';
  return html`<p>${isByHand({ hold }) ? t.byHand : t.failed}</p>`;
}

function isByHand({ hold }: Pick<RetentionFacts, 'hold'>): boolean {
  return hold === 'store/may-not-delete';
}

/** How many stay and go, and the words for each that goes. */
export function goingWords(
  { retention: t }: Texts,
  facts: Pick<RetentionFacts, 'agreedAt' | 'hold'>,
  { going, snapshots }: Judgement,
): { goes: string; counts: string } {
  const numbers = [snapshots.length - going.length, going.length] as const;
  if (facts.agreedAt === null) return { goes: t.wouldGo, counts: t.countsIfAgreed(...numbers) };
  if (isByHand(facts)) return { goes: t.goesByHand, counts: t.countsByHand(...numbers) };
  return { goes: t.goes, counts: t.counts(...numbers) };
}

function lastDone(texts: Texts, facts: RetentionFacts): Html | '' {
  const held = heldPart(texts, facts);
  const { formats, retention: t } = texts;
  const { retainedAt, zone } = facts;
  if (held !== '') return held;
  return retainedAt === null ? '' : html`<p>${t.doneAt(formats.time(retainedAt, zone))}</p>`;
}

/** By a rule of hours or of a span, a backup that begins or ends later than it is due lets others go than were named before. */
function dueNote(
  { formats, retention: t }: Texts,
  { hold, rule }: Judgement,
  facts: RetentionFacts,
  now: Date,
): string {
  const goesByMinutes = rule.within !== undefined || rule.hourly !== undefined;
  if (hold !== null || isByHand(facts) || !goesByMinutes) return '';
  return ` ${t.reckoned(formats.time(facts.nextDueAt > now ? facts.nextDueAt : now, facts.zone))}`;
}

function snapshotsTable(texts: Texts, judged: Judgement, facts: RetentionFacts, now: Date): Html {
  const { formats, retention: t } = texts;
  const { going, snapshots } = judged;
  const { zone } = facts;
  const { goes, counts } = goingWords(texts, facts, judged);
  const time = (at: Date) => formats.time(at, zone);
  const gone = new Set<string>(going);
  const row = ({ id, time: at, reasons }: JudgedSnapshot) => [
    html`<a href="/snapshots/${id}/browse/">${time(new Date(timestampMs(at)))}</a>`,
    gone.has(id) ? html`<strong>${goes}</strong>` : t.stays,
    reasons.map((reason) => t.reasons[reason]).join('; '),
  ];
  const columns = [{ label: t.snapshot }, { label: t.what }, { label: t.why }];
  const left = snapshots.length - onePage;
  return html`<h2>${t.caption}</h2><p>${counts}${dueNote(texts, judged, facts, now)}</p>
<div class="card">${table({ caption: t.caption, columns, rows: snapshots.slice(0, onePage).map(row) })}</div>${left > 0 ? html`<p>${t.more(left)}</p>` : ''}`;
}
