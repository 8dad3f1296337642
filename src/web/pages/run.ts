import { html } from 'hono/html';
import { findRefusedSources } from '../../database/nights/refused-sources.ts';
import { findLiveRun, type LiveRun } from '../../database/nights/run-progress.ts';
import { findRunOfPerson, type RunView } from '../../database/nights/views.ts';
import { confirmAlarms } from '../../database/notices/protection.ts';
import type { Protection } from '../../domain/protection.ts';
import { reasonOfAlarm } from '../../domain/protection-reasons.ts';
import { numbersIn } from '../../domain/run-counts.ts';
import { runFaultOf } from '../../domain/run-fault.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import { isUuid } from '../../uuid.ts';
import { english, explained } from '../english.ts';
import { icon } from '../icons.ts';
import { type Html, postButton } from '../layout.ts';
import { outcome, signOf } from '../outcome.ts';
import type { Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';
import { notFound, type PersonVisit, page } from '../visit.ts';
import { reasonPart } from './protection-words.ts';
import { refusedPart } from './refused-sources.ts';
import { isLive, liveCard, runHead } from './run-live.ts';
import { countsPart, problemsPart } from './run-results.ts';

/** One run: how far it is while it is under way, then its outcome, counts, and what could not be read. */
export async function run(visit: PersonVisit): Promise<Response> {
  const id = visit.c.req.param('id') ?? '';
  const { resources, session, texts } = visit;
  const named = { userId: session.userId, runId: id };
  const view = isUuid(id) ? await findRunOfPerson(resources.database, named) : null;
  if (view === null) throw notFound();
  const live = isLive(view) ? await findLiveRun(resources.database, named) : null;
  const protection = await findProtection(resources, session.userId);
  const refused = live === null ? refusedPart(texts, await findRefusedSources(resources.database, id)) : '';
  const body = html`${headCard(visit, view)}${live === null ? '' : await goingOn(visit, live)}${notice(visit, view, protection)}${refused === '' ? '' : html`<section class="card warn">${refused}</section>`}${onItsWord(visit, view)}
${live === null ? countsPart(texts, view) : ''}${problemsPart(visit, view)}`;
  const title = texts.run.title(texts.formats.night(view.night, 'long'));
  return page(visit, title, body, { place: '/', headed: true, head: runHead(live) });
}

/** Puts on record that the person looked at a great loss or change, and at those before it. */
export async function confirm({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const runId = c.req.param('id') ?? '';
  const view = isUuid(runId) ? await findRunOfPerson(resources.database, { userId, runId }) : null;
  if (view === null || view.finishedAt === null) throw notFound();
  const at = resources.clock.now();
  await confirmAlarms(resources.database, { userId, until: view.finishedAt, at, by: `user:${userId}` });
  return c.redirect(`/runs/${runId}`, 303);
}

/** Of which night, what came of it and why, and the way to what was kept. */
function headCard({ resources, texts }: PersonVisit, view: RunView): Html {
  const t = texts.run;
  const { state, startedAt, finishedAt, snapshotId, snapshotForgottenAt, snapshotRepairedAt, trigger } = view;
  const { tone, icon: shape } = signOf(state);
  const time = (at: Date | null) => (at === null ? '–' : texts.formats.time(at, view.plan.zone));
  const took =
    startedAt && finishedAt
      ? html`<div><dt>${texts.counts.ms}</dt><dd>${texts.formats.duration(finishedAt.getTime() - startedAt.getTime())}</dd></div>`
      : '';
  return html`<section class="card"><div class="verdict"><span class="sign ${tone}">${icon(shape)}</span>
<div><h1>${t.title(texts.formats.night(view.night, 'long'))}</h1><p>${outcome(state, texts)}</p>${why(texts, view, resources.clock.now())}${snapshotForgottenAt ? html`<p>${howItWent(texts, view)(time(snapshotForgottenAt))}</p>` : ''}${snapshotRepairedAt && !snapshotForgottenAt ? html`<p>${t.repaired(time(snapshotRepairedAt))}</p>` : ''}</div>
${snapshotId && !snapshotForgottenAt ? html`<div class="ways"><a class="button" href="/snapshots/${snapshotId}/browse/">${t.browse}</a></div>` : ''}</div>
<dl class="facts"><div><dt>${t.trigger}</dt><dd>${wordFor(texts.triggers, trigger) ?? trigger}</dd></div>
<div><dt>${t.started}</dt><dd>${time(startedAt)}</dd></div>${finishedAt ? html`<div><dt>${t.finished}</dt><dd>${time(finishedAt)}</dd></div>` : ''}${took}</dl></section>`;
}

/** What went wrong, unless another try is under way; and when that comes. */
function why(
  texts: PersonVisit['texts'],
  { state, message, errorCode, dueAt, triedUntil, plan: { zone } }: RunView,
  now: Date,
): Html | '' {
  if (message === null || state === 'succeeded' || state === 'running') return '';
  const { formats, protection, run: t } = texts;
  const isAhead = state === 'queued' && dueAt > now;
  const waits = isAhead ? ` ${t.waits(formats.time(dueAt, zone), formats.time(triedUntil, zone))}` : '';
  const { happened } = { ...protection.consent, ...protection.nights }[runFaultOf(errorCode)];
  const said = errorCode === null ? english(texts, message) : explained(texts, happened, message);
  return html`<p>${said}${waits}</p>`;
}

async function goingOn(visit: PersonVisit, live: LiveRun): Promise<Html> {
  const way = html`<a class="button quiet" href="/runs/${live.id}/cancel">${visit.texts.live.cancel}</a>`;
  return liveCard(visit, live, way);
}

/** What looks wrong with this run, or what this run shows of why the person is not protected. */
function notice({ session, texts }: PersonVisit, view: RunView, protection: Protection): Html | '' {
  const { id, alarm, alarmSeenAt: seenAt, plan } = view;
  if (alarm !== null) {
    const reason = reasonOfAlarm(alarm);
    return html`<section class="card ${seenAt ? '' : 'warn'}">${reasonPart(texts, { reason, until: null, retry: null }, plan.zone)}
${seenAt ? html`<p>${texts.run.confirmed(texts.formats.time(seenAt, plan.zone))}</p>` : postButton(session, `/runs/${id}/looked`, texts.run.confirm)}</section>`;
  }
  if (protection.runId !== id || isLive(view)) return '';
  return html`<section class="card warn">${reasonPart(texts, protection, plan.zone)}</section>`;
}

/** Whether the word of the server was wrong, or nothing could be compared with it. */
function onItsWord({ texts: { run: t } }: PersonVisit, { unreliableRoots, counts }: RunView): Html | '' {
  const { entriesChecked = 0, entriesUnchecked = 0 } = numbersIn(counts);
  const words =
    unreliableRoots.length > 0 ? t.unreliable : entriesUnchecked > 0 && entriesChecked === 0 ? t.unchecked : '';
  return words === '' ? '' : html`<section class="card"><p>${words}</p></section>`;
}

/** How the run's snapshot went, as a sentence with the moment. */
function howItWent({ run: t }: Texts, { snapshotRemoved, snapshotLost }: RunView): (at: string) => string {
  if (snapshotRemoved) return t.removed;
  return snapshotLost ? t.lost : t.forgotten;
}
