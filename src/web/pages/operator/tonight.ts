import { html } from 'hono/html';
import type { TroubleGroup } from '../../../database/nights/tonight.ts';
import { hourMs } from '../../../durations.ts';
import { AppError } from '../../../errors.ts';
import { retryGroup } from '../../../flows/nights/retry-group.ts';
import { nightsShown, type Tonight, viewTonight } from '../../../flows/nights/view-tonight.ts';
import { form, type Html } from '../../layout.ts';
import { type LiveParts, liveEvents, liveHead, livePart } from '../../live.ts';
import { table } from '../../table.ts';
import type { Texts } from '../../texts/en.ts';
import type { PersonVisit } from '../../visit.ts';
import { causeOf } from './causes.ts';
import { countedNote, figure, operatorOf, operatorPage, queueCard, timesNearNow, timesOf } from './frame.ts';
import { shareBar, shareBars } from './plots.ts';

const states = ['partial', 'failed', 'queued'] as const;

/** How soon the night is looked at again, in milliseconds: while backups run or wait, and else. */
const lookMs = { underWay: 10_000, quiet: 30_000 };

/** The night over all plans: how far it is, what went wrong and why, and the nights before; kept up to date as long as it is open. */
export async function tonight(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const t = texts.operator.tonight;
  const view = await viewTonight(resources);
  const parts = partsOf(visit, view);
  const part = (name: keyof typeof parts) => livePart(name, parts[name]);
  const numbers = html`<details><summary>${t.numbers}</summary>${part('numbers')}</details>`;
  const body = html`${retriedPart(visit)}<div data-live="/operator/events">${part('queue')}<section class="card">${part('status')}${part('progress')}</section>${part('figures')}
<div class="columns"><section class="card trouble"><h2>${t.trouble}</h2>${form(session, '/operator/retry', part('trouble'))}</section><section class="card"><h2>${t.servers}</h2>${part('servers')}</section></div>
<section class="card"><h2>${t.nights}</h2>${part('nights')}${view.nights.length === 0 ? '' : numbers}</section></div>`;
  return operatorPage(visit, { title: t.title, place: '/operator', body, headed: true, head: liveHead(30) });
}

/** What changes on the page of the night, as server-sent events. */
export async function tonightEvents(visit: PersonVisit): Promise<Response> {
  return liveEvents(visit, async () => {
    const view = await viewTonight(visit.resources);
    const { running, waiting } = view.progress;
    return { parts: partsOf(visit, view), againMs: running + waiting > 0 ? lookMs.underWay : lookMs.quiet };
  });
}

function partsOf(visit: PersonVisit, view: Tonight) {
  const { texts } = visit;
  return {
    queue: queueCard(view.queue, texts, texts.operator.queues.pausedNote),
    status: html`<h1>${texts.operator.tonight.courses[view.course]}</h1>`,
    progress: progressPart(visit, view),
    figures: html`${forecastCard(visit, view)}${figures(visit, view)}`,
    trouble: troublePart(visit, view),
    servers: serversPart(view, texts),
    nights: nightsPart(view, texts),
    numbers: numbersPart(view, texts),
  } satisfies LiveParts;
}

/** Asks for a run of everybody in a group of the page. */
export async function retry(visit: PersonVisit): Promise<Response> {
  const { c, resources } = visit;
  const { group: named } = await c.req.parseBody();
  const [asked, errorCode = null] = typeof named === 'string' ? named.split(' ') : [];
  const state = states.find((one) => one === asked);
  if (state === undefined) throw new AppError('request/invalid', 'Say which group: press a button of the page.');
  const { asked: count, more } = await retryGroup(resources, { group: { state, errorCode }, by: operatorOf(visit) });
  return c.redirect(`/operator?retried=${count}${more ? '&more=yes' : ''}`, 303);
}

function retriedPart({ texts, url }: PersonVisit): Html | '' {
  const t = texts.operator.tonight;
  const asked = url.searchParams.get('retried') ?? '';
  if (!/^\d{1,6}$/.test(asked)) return '';
  const more = url.searchParams.get('more') === 'yes' ? ` ${t.retriedPart}` : '';
  return html`<p class="card" role="status">${t.retried(Number(asked))}${more}</p>`;
}

function progressPart(visit: PersonVisit, { course, progress, toComeAt, expected, from, to }: Tonight): Html {
  const { resources, texts } = visit;
  const t = texts.operator.tonight;
  const time = timesNearNow(visit);
  const { succeeded, partial, failed, dropped, running, waiting, again, toCome, nextDueAt, triedUntil } = progress;
  const done = succeeded + partial + failed + dropped;
  const all = done + running + waiting + again + toCome;
  const counts = { succeeded, partial, failed, dropped, running, waiting, again, toCome };
  const words = Object.entries(t.legend).flatMap(([name, word]) => {
    const count = Object.entries(counts).find(([one]) => one === name)?.[1] ?? 0;
    return count === 0 ? [] : [`${texts.formats.number(count)} ${word}`];
  });
  const sentences = [
    ...(all === 0 ? [] : [t.done(done, all)]),
    ...(expected === undefined ? [] : [t.expected(time(expected))]),
    ...(course === 'to_come' && nextDueAt !== null ? [t.begins(time(nextDueAt))] : []),
    ...(triedUntil === null ? [] : [t.until(time(triedUntil))]),
  ];
  const bar = shareBar(
    [
      { count: succeeded, kind: 'good' },
      { count: partial, kind: 'warn' },
      { count: failed, kind: 'bad' },
      { count: running, kind: 'calm' },
      { count: dropped + waiting + again + toCome, kind: 'rest' },
    ],
    t.bar(words.join(', ')),
  );
  return html`<p>${sentences.join(' ')}</p>
${all === 0 ? '' : html`${bar}<p class="soft small">${words.join(' · ')}</p>`}<p class="soft small">${t.night(time(from), time(to))} ${texts.operator.zone(resources.config.window.zone)}${countedNote(visit, toComeAt, t.toComeAt)}</p>`;
}

/** Said before the windows open, while something can be done about it. */
function forecastCard(visit: PersonVisit, { forecast }: Tonight): Html | '' {
  if (forecast === null) return '';
  const t = visit.texts.operator.tonight.forecast;
  const { from, to, plans, neededMs, windowMs, by, holds } = forecast;
  const time = timesNearNow(visit);
  return html`<section class="card ${holds ? '' : 'warn'}"><h2>${t.title(neededMs, windowMs)}</h2><p>${t.busiest(plans, time(from), time(to))} ${holds ? t.holds : t.mend[by]}</p><p class="soft small">${t.how}</p></section>`;
}

function figures({ resources, texts }: PersonVisit, view: Tonight): Html {
  const t = texts.operator.tonight;
  const { progress, pace, rotationsLost, openCircuits } = view;
  const { oldestDueAt, waiting } = progress;
  const now = resources.clock.now().getTime();
  const perHour = Math.round((pace.ended * hourMs) / pace.ms);
  const [circuit] = openCircuits;
  const { duration, number } = texts.formats;
  return html`<div class="figures">
${figure(t.rate, perHour === 0 ? t.rateNone : t.rateValue(perHour), `${t.rateNote(pace.ended)}; ${t.workers(pace.workers)}`)}
${figure(t.backlog, number(waiting), `${t.oldest}: ${oldestDueAt === null ? t.nothingWaits : duration(now - oldestDueAt.getTime())}`)}
${figure(t.partial, number(progress.partial), t.ofNight)}
${figure(t.failed, number(progress.failed), t.ofNight)}
${figure(t.rotations, number(rotationsLost), t.rotationsNote, rotationsLost === 0 ? '' : 'bad')}
${figure(t.provider, circuit ? t.providerTrouble : t.providerWell, circuit ? t.providerOpen(circuit.issuer) : t.providerNote, circuit ? 'bad' : '')}</div>`;
}

/** Groups of people, each with a button of the form around it. */
function troublePart(visit: PersonVisit, view: Tonight): Html {
  const { trouble, troubleAt, ended, verification, verificationAt, exported } = view;
  const { texts } = visit;
  const t = texts.operator.tonight;
  const time = timesNearNow(visit);
  const rows = trouble.map((group) => [
    html`${t.outcomes[group.state](causeOf(group, texts))}<br><span class="soft small">${[group.errorCode ?? '', noteOf(group, texts, time)].filter(Boolean).join(' · ')}</span>`,
    texts.formats.number(group.people),
    time(group.since),
    html`<button class="quiet" name="group" value="${[group.state, group.errorCode].filter(Boolean).join(' ')}">${t.retry}</button>`,
  ]);
  const columns = [
    { label: t.cause },
    { label: t.people, kind: 'number' as const },
    { label: t.since },
    { label: t.doSomething },
  ];
  const asOf = countedNote(visit, troubleAt);
  const list =
    rows.length === 0
      ? html`<p class="soft">${t.noTrouble}${asOf}</p>`
      : html`<p class="soft">${t.troubleLead}${asOf}</p>${table({ caption: t.trouble, columns, rows })}`;
  const consents =
    ended === 0
      ? ''
      : html`<p>${t.ended}: <strong>${texts.formats.number(ended)}</strong>. <span class="soft">${t.endedNote}</span></p>`;
  return html`${list}${consents}${verifiedPart(visit, verification, verificationAt)}${exportedPart(visit, exported)}`;
}

function verifiedPart(
  visit: PersonVisit,
  { oldestAt, damaged, gone, pending, unverified }: Tonight['verification'],
  countedAt: Date,
): Html {
  const { home, operator } = visit.texts;
  const t = operator.tonight;
  const since = oldestAt === null ? home.notVerified : timesOf(visit)(oldestAt);
  const asOf = countedNote(visit, countedAt);
  const trouble = [
    ...(damaged > 0 ? [t.damaged(damaged)] : []),
    ...(gone > 0 ? [t.gone(gone)] : []),
    ...(unverified > 0 ? [t.unverified(unverified)] : []),
  ];
  return html`<p>${t.verified(since)}${pending > 0 && oldestAt !== null ? ` ${t.pending(pending)}` : ''}${asOf && html`<span class="soft">${asOf}</span>`}${trouble.length === 0 ? '' : html` <strong>${trouble.join(' ')}</strong> <span class="soft">${t.damagedNote}</span>`}</p>`;
}

function exportedPart(visit: PersonVisit, exported: Tonight['exported']): Html {
  const t = visit.texts.operator.tonight;
  if (exported === null) return html`<p>${t.exportedOff}</p>`;
  const { last, isLate } = exported;
  const said = last === null ? t.exportedNever : t.exported(timesOf(visit)(last));
  return html`<p>${said}${isLate ? html` <strong>${t.exportLate}</strong>` : ''}</p>`;
}

function noteOf({ state, nextDueAt }: TroubleGroup, texts: Texts, time: (at: Date) => string): string {
  const t = texts.operator.tonight;
  if (state === 'partial') return t.kept;
  return state === 'queued' && nextDueAt !== null ? t.again(time(nextDueAt)) : '';
}

function serversPart({ servers }: Tonight, texts: Texts): Html {
  const t = texts.operator.tonight;
  const item = ({ host, runs, msPerRequest }: Tonight['servers'][number]) =>
    html`<li><div><bdi>${host}</bdi><p>${t.runs(runs)}</p></div><span class="number">${texts.formats.duration(msPerRequest)}</span></li>`;
  if (servers.length === 0) return html`<p class="soft">${t.noServers}</p>`;
  return html`<p class="soft">${t.serversLead}</p><ul class="items">${servers.map(item)}</ul>`;
}

function nightsPart({ nights }: Tonight, texts: Texts): Html {
  const t = texts.operator.tonight;
  if (nights.length === 0) return html`<p class="soft">${t.noNights}</p>`;
  const bars = nights.map((night) => ({
    label: t.nightOf(night),
    parts: [
      { count: night.succeeded, kind: 'good' as const },
      { count: night.partial, kind: 'warn' as const },
      { count: night.failed, kind: 'bad' as const },
    ],
  }));
  return html`${shareBars(bars, nightsShown, t.nightsLead)}<p class="soft small">${t.nightsLead}</p>`;
}

function numbersPart({ nights }: Tonight, { operator: { tonight: t } }: Texts): Html {
  return html`<ul class="items">${nights.toReversed().map((night) => html`<li>${t.nightOf(night)}</li>`)}</ul>`;
}
