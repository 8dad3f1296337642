import { html } from 'hono/html';
import { findHome, type PlanView } from '../../database/nights/views.ts';
import { getPreferences, type Preferences } from '../../database/people/preferences.ts';
import { listWebSessions, type WebSessionLine } from '../../database/people/web-sessions.ts';
import { findRetention, type RetentionFacts } from '../../database/repositories/retention.ts';
import { addDays, dateIn } from '../../domain/nights.ts';
import { mailKinds } from '../../domain/notices.ts';
import { isAppError } from '../../errors.ts';
import { type FoundChoice, findSourceChoice } from '../../flows/consent/choose-sources.ts';
import { foreseeRetention } from '../../flows/retention/foresee-retention.ts';
import { type JudgedSnapshot, type Judgement, ruleOf } from '../../flows/retention/judge-snapshots.ts';
import type { Resources } from '../../resources.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import { form, type Html, postButton } from '../layout.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { listTexts } from '../texts/languages.ts';
import { wordFor } from '../texts/word.ts';
import { type PersonVisit, page } from '../visit.ts';
import { eraseWords, goingWords, heldPart } from './retention.ts';
import { sourceBox } from './source-box.ts';

/** A pause is no longer than this. */
export const mostPausedDays = 365;

/** Snapshots that go, by name. */
const mostNamed = 5;

/** What a person sent that cannot be taken. */
export interface Refused {
  readonly hours?: {
    readonly fault: keyof Texts['settings']['hours']['faults'];
    readonly typed: Pick<PlanView, 'windowStart' | 'windowEnd' | 'zone'>;
  };
  readonly pause?: true;
  readonly sources?: 'fault' | 'notAgreed';
}

/** What a person can choose for themselves. */
export async function settings(visit: PersonVisit): Promise<Response> {
  return showSettings(visit);
}

/** The page, with a word to what was refused. */
export async function showSettings(visit: PersonVisit, refused: Refused = {}): Promise<Response> {
  const { resources, session, texts, url } = visit;
  const { clock, config, database } = resources;
  const { userId } = session;
  const t = texts.settings;
  const [{ grant, plan }, choice, retention, preferences, sessions] = await Promise.all([
    findHome(database, { userId }),
    findSourceChoice(resources, userId),
    findRetention(database, userId),
    getPreferences(database, userId),
    listWebSessions(database, { userId, at: clock.now(), idleMs: config.session.idleMs }),
  ]);
  const judged = await foresee(resources, userId, retention);
  const done = wordFor(t.told.done, url.searchParams.get('told') ?? '');
  const told = done ?? wordFor(t.told.not, url.searchParams.get('told') ?? '');
  const nights =
    plan === null
      ? html`<section class="card"><p>${t.noPlan}</p></section>`
      : html`<div class="columns">${hoursCard(visit, plan, { state: grant?.state, refused })}${pauseCard(visit, plan, { state: grant?.state, refused })}</div>${sourcesCard(visit, choice, refused)}${keptCard(visit, retention, judged)}`;
  const body = html`${told === undefined ? '' : html`<p class="card ${done === undefined ? 'warn' : 'good'}" role="status">${told}</p>`}${nights}
<div class="columns">${languageCard(visit, preferences)}${mailsCard(visit, preferences)}</div>${sessionsCard(visit, sessions, plan?.zone)}
<div class="columns">${dataCard(t)}${erasureCard(t)}</div>`;
  const isRefused = Object.keys(refused).length > 0;
  return page(visit, t.title, body, { place: '/settings', status: isRefused ? 400 : 200 });
}

function alert(words: string | undefined): Html | '' {
  return words === undefined ? '' : html`<p role="alert"><strong>${words}</strong></p>`;
}

function hoursCard(
  { resources, session, texts }: PersonVisit,
  plan: PlanView,
  { state, refused: { hours: refused } }: { state: string | undefined; refused: Refused },
): Html {
  const { formats } = texts;
  const t = texts.settings.hours;
  const { windowAllowed: allowed } = resources.config;
  const { nextDueAt, paused, zone } = plan;
  const shown = refused?.typed ?? plan;
  const isAlive = state === 'active' || state === 'suspect';
  const zones = [...new Set(['UTC', zone, ...Intl.supportedValuesOf('timeZone')])];
  const selected = zones.includes(shown.zone) ? shown.zone : zone;
  const option = (name: string) => html`<option ${name === selected ? html`selected` : ''}>${name}</option>`;
  const time = (name: 'start' | 'end', label: string, value: string) =>
    html`<p><label for="${name}">${label}</label><br><input id="${name}" name="${name}" type="time" value="${value}" required></p>`;
  const inner = html`<div class="ways">${time('start', t.from, shown.windowStart)}${time('end', t.to, shown.windowEnd)}</div>
<p><label for="zone">${t.zone}</label><br><select id="zone" name="zone">${zones.map(option)}</select></p><p><button>${t.save}</button></p>`;
  return html`<section class="card" id="hours"><h2>${t.title}</h2>${alert(refused && t.faults[refused.fault])}<p>${isAlive ? t.lead : t.ended}${allowed ? ` ${t.allowed(allowed.start, allowed.end)}` : ''}</p>
${form(session, '/settings/hours', inner)}${paused || !isAlive ? '' : html`<p>${t.next(formats.time(nextDueAt, zone))}</p>`}<p class="soft">${t.agreed} <a href="/grant">${texts.home.seeConsent}</a></p></section>`;
}

function pauseCard(
  { resources, session, texts }: PersonVisit,
  { paused, pausedUntil, zone }: PlanView,
  { state, refused }: { state: string | undefined; refused: Refused },
): Html {
  const t = texts.settings.pause;
  const card = (inner: Html) =>
    html`<section class="card" id="pause"><h2>${t.title}</h2>${alert(refused.pause && t.fault)}${inner}</section>`;
  if (state === undefined || state === 'withdrawn') return card(html`<p>${t.ended}</p>`);
  if (paused && pausedUntil === null) return card(html`<p>${t.byOperator}</p>`);
  const today = dateIn(zone, resources.clock.now());
  const [first, last] = [addDays(today, 1), addDays(today, mostPausedDays)];
  const inner = html`<p><label for="until">${t.until}</label><br><input id="until" name="until" type="date" min="${first}" max="${last}" required></p><p><button class="quiet">${paused ? t.change : t.save}</button></p>`;
  const now =
    pausedUntil === null
      ? ''
      : html`<p class="lead">${t.now(texts.formats.time(pausedUntil, zone))}</p>${postButton(session, '/settings/resume', t.resume)}`;
  return card(
    html`${now}<p>${t.lead} ${state === 'active' ? t.alive : t.dead}</p>${form(session, '/settings/pause', inner)}`,
  );
}

/** What they have agreed to, of more than one thing with a box for each, and what they would have to agree to. */
function sourcesCard(
  { session, texts }: PersonVisit,
  choice: FoundChoice | null,
  { sources: fault }: Refused,
): Html | '' {
  const t = texts.settings.sources;
  if (choice === null) return '';
  const { choosable, leftOut, unasked } = choice;
  const beyond = [...leftOut, ...unasked];
  if (choosable.length + beyond.length < 2) return '';
  const boxes = choosable.map(({ name, isChosen }) => sourceBox({ field: 'source', name, isChosen }, texts.holding));
  const choosing = html`<p>${t.lead} ${t.again}</p>${form(session, '/settings/sources', html`<fieldset><legend>${t.title}</legend>${boxes}</fieldset><p><button class="quiet">${t.save}</button></p>`)}`;
  const more = html`<p>${t.beyond(beyond)} <a href="/consent">${t.agree}</a></p>`;
  return html`<section class="card" id="sources"><h2>${t.title}</h2>${alert(fault && t[fault])}${choosable.length < 2 ? '' : choosing}${beyond.length === 0 ? '' : more}</section>`;
}

function keptCard(visit: PersonVisit, facts: RetentionFacts | null, judged: Judgement | undefined): Html | '' {
  const { texts } = visit;
  const t = texts.settings.kept;
  if (facts === null) return '';
  if (facts.eraseAt !== null)
    return html`<section class="card warn" id="kept"><h2>${t.title}</h2><p>${eraseWords(visit, facts)}</p></section>`;
  const said = facts.agreedAt === null ? t.all : texts.consent.keptValue(ruleOf(facts));
  return html`<section class="card" id="kept"><h2>${t.title}</h2><p>${said}</p>${facts.agreedAt === null ? '' : heldPart(texts, facts)}${judged === undefined ? '' : goingPart(texts, facts, judged)}<p><a href="/retention">${t.link}</a></p></section>`;
}

/** Which snapshots go, the newest few of them by name. */
function goingPart(texts: Texts, facts: RetentionFacts, judged: Judgement): Html | '' {
  const { formats, retention: t } = texts;
  const { zone } = facts;
  const { going, hold, snapshots } = judged;
  if (hold === 'alarm') return html`<p>${t.alarm}</p>`;
  if (snapshots.length === 0 || hold !== null) return '';
  const gone = new Set<string>(going);
  const { goes, counts } = goingWords(texts, facts, judged);
  const item = ({ id, time }: JudgedSnapshot) =>
    html`<li><a href="/snapshots/${id}/browse/">${formats.time(new Date(timestampMs(time)), zone)}</a><span class="soft">${goes}</span></li>`;
  const named = snapshots.filter(({ id }) => gone.has(id)).slice(0, mostNamed);
  const left = going.length - named.length;
  return html`<p>${counts}</p>
${named.length === 0 ? '' : html`<ul class="items">${named.map(item)}</ul>`}${left > 0 ? html`<p class="soft">${t.more(left)}</p>` : ''}`;
}

/** What cannot be foreseen now, since the store is away or damaged, is left to the page that tells of it. */
async function foresee(resources: Resources, userId: string, facts: RetentionFacts | null) {
  try {
    return facts === null || facts.eraseAt !== null ? undefined : await foreseeRetention(resources, { userId, facts });
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}

function languageCard({ session, texts }: PersonVisit, { language }: Preferences): Html {
  const t = texts.settings.language;
  const option = (value: string, name: string, lang: string | null) =>
    html`<option value="${value}" ${lang === null ? '' : html`lang="${lang}"`} ${value === (language ?? '') ? html`selected` : ''}>${name}</option>`;
  const inner = html`<p><label for="language">${t.label}</label><br><select id="language" name="language">${option('', t.none, null)}${listTexts().map((own) => option(own.language, own.languageName, own.language))}</select></p><p><button class="quiet">${t.save}</button></p>`;
  return html`<section class="card" id="language-card"><h2>${t.title}</h2>${form(session, '/settings/language', inner)}</section>`;
}

function mailsCard(
  { resources, session, texts }: PersonVisit,
  { email, mutedMails }: Preferences & { email: string | null },
): Html {
  const t = texts.settings.mails;
  const lead =
    resources.config.mail === undefined ? t.off : email === null ? t.noAddress : html`<bdi>${t.lead(email)}</bdi>`;
  const box = (kind: (typeof mailKinds)[number]) =>
    html`<label><input type="checkbox" name="mail" value="${kind}" ${mutedMails.includes(kind) ? '' : html`checked`}><span>${t.kinds[kind]}</span></label>`;
  const inner = html`<fieldset><legend>${t.legend}</legend>${mailKinds.map(box)}</fieldset><p><button class="quiet">${t.save}</button></p>`;
  return html`<section class="card" id="mails"><h2>${t.title}</h2><p>${lead}</p>${resources.config.mail === undefined ? '' : form(session, '/settings/mails', inner)}</section>`;
}

function dataCard({ data: t }: Texts['settings']): Html {
  return html`<section class="card" id="data"><h2>${t.title}</h2><p>${t.lead}</p><p><a href="/settings/data.json">${t.link}</a></p></section>`;
}

function erasureCard({ erase: t }: Texts['settings']): Html {
  return html`<section class="card" id="erase"><h2>${t.title}</h2><p>${t.lead}</p><p><a href="/settings/erase">${t.link}</a></p></section>`;
}

function sessionsCard(
  { resources, session, texts }: PersonVisit,
  sessions: readonly WebSessionLine[],
  zone: string | undefined,
): Html {
  const t = texts.settings.sessions;
  const { config } = resources;
  const time = (at: Date) => texts.formats.time(at, zone ?? config.window.zone);
  const row = ({ id, agent, createdAt, lastSeenAt, endsAt }: WebSessionLine) => {
    const named = agent || t.unknown;
    const inner = html`<input type="hidden" name="session" value="${id}"><button class="quiet" aria-label="${t.endThat(named, time(createdAt))}">${t.end}</button>`;
    const here = id === session.id;
    return [
      html`${named}${here ? html` <span class="tag">${t.here}</span>` : ''}`,
      time(createdAt),
      time(lastSeenAt),
      time(endsAt),
      here ? '' : form(session, '/settings/sessions/end', inner),
    ];
  };
  const columns = [t.browser, t.began, t.seen, t.ends, t.end].map((label) => ({ label }));
  const { idleMs, maxMs } = config.session;
  return html`<section class="card" id="sessions"><h2>${t.title}</h2><p>${t.lead(idleMs, maxMs)}</p>
${table({ caption: t.title, columns, rows: sessions.map(row) })}${sessions.length > 1 ? postButton(session, '/settings/sessions/end-others', t.endOthers, 'quiet') : ''}</section>`;
}
