import { html } from 'hono/html';
import { confirmAlarms } from '../../database/protection.ts';
import { findRunOfPerson, type RunView } from '../../database/views.ts';
import { type Protection, reasonOfAlarm } from '../../domain/protection.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import type { Session } from '../cookies.ts';
import { type Html, postButton } from '../layout.ts';
import { outcome } from '../outcome.ts';
import { shownBytes, shownDuration, shownNight, shownTime } from '../shown.ts';
import { table } from '../table.ts';
import { texts } from '../texts.ts';
import { notFound, type PersonVisit, page } from '../visit.ts';
import { reasonPart } from './protection-words.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One run: outcome, counts, and what could not be read. */
export async function run(visit: PersonVisit): Promise<Response> {
  const id = visit.c.req.param('id') ?? '';
  const { resources, session } = visit;
  const named = { userId: session.userId, runId: id };
  const view = uuid.test(id) ? await findRunOfPerson(resources.database, named) : null;
  if (view === null) throw notFound();
  const protection = await findProtection(resources, session.userId);
  const body = html`${notice(session, view, protection)}${unreliable(view)}${facts(view)}${counts(view.counts)}${problems(view)}`;
  return page(visit, texts.run.title(shownNight(view.night, 'long')), body);
}

/** Puts on record that the person looked at a great loss or change, and at those before it. */
export async function confirm({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const runId = c.req.param('id') ?? '';
  const view = uuid.test(runId) ? await findRunOfPerson(resources.database, { userId, runId }) : null;
  if (view === null || view.finishedAt === null) throw notFound();
  const at = resources.clock.now();
  await confirmAlarms(resources.database, { userId, until: view.finishedAt, at, by: `user:${userId}` });
  return c.redirect(`/runs/${runId}`, 303);
}

/** What looks wrong with this run, or what this run shows of why the person is not protected. */
function notice(session: Session, view: RunView, protection: Protection): Html | '' {
  const { id, alarm, alarmSeenAt: seenAt, plan } = view;
  if (alarm !== null) {
    const reason = reasonOfAlarm(alarm);
    return html`<section class="card ${seenAt ? '' : 'warn'}">${reasonPart({ reason, until: null, retry: null }, plan.zone)}
${seenAt ? html`<p>${texts.run.confirmed(shownTime(seenAt, plan.zone))}</p>` : postButton(session, `/runs/${id}/looked`, texts.run.confirm)}</section>`;
  }
  if (protection.runId !== id) return '';
  return html`<section class="card warn">${reasonPart(protection, plan.zone)}</section>`;
}

function facts(view: RunView): Html {
  const time = (at: Date | null) => (at === null ? '–' : shownTime(at, view.plan.zone));
  return html`<dl class="card"><dt>${texts.run.outcome}</dt><dd>${outcome(view.state, texts)}</dd>
${why(view)}
<dt>${texts.run.trigger}</dt><dd>${texts.triggers[view.trigger] ?? view.trigger}</dd>
<dt>${texts.run.started}</dt><dd>${time(view.startedAt)}</dd><dt>${texts.run.finished}</dt><dd>${time(view.finishedAt)}</dd>
${view.snapshotId ? html`<dt>${texts.run.snapshot}</dt><dd><a href="/snapshots/${view.snapshotId}/browse/">${texts.run.browse}</a></dd>` : ''}</dl>`;
}

function unreliable({ unreliableRoots }: RunView): Html | '' {
  return unreliableRoots.length === 0 ? '' : html`<section class="card"><p>${texts.run.unreliable}</p></section>`;
}

/** What went wrong, unless another try is under way; and when that comes. */
function why({ state, message, dueAt, triedUntil, plan: { zone } }: RunView): Html | '' {
  if (message === null || state === 'succeeded' || state === 'running') return '';
  const waits = state === 'queued' ? ` ${texts.run.waits(shownTime(dueAt, zone), shownTime(triedUntil, zone))}` : '';
  return html`<dt>${texts.run.why}</dt><dd>${message}${waits}</dd>`;
}

function counts(value: unknown): Html | '' {
  if (typeof value !== 'object' || value === null) return '';
  const found = new Map<string, unknown>(Object.entries(value));
  const row = ([name, label]: [string, string]) => {
    const count = found.get(name);
    if (typeof count !== 'number') return '';
    return html`<tr><th scope="row">${label}</th><td class="number">${shownCount(name, count)}</td></tr>`;
  };
  return html`<h2>${texts.run.counts}</h2><div class="card"><table><caption>${texts.run.counts}</caption><tbody>${Object.entries(texts.counts).map(row)}</tbody></table></div>`;
}

function shownCount(name: string, count: number): string {
  if (/bytes|data/i.test(name)) return shownBytes(count);
  return name === 'ms' ? shownDuration(count) : count.toLocaleString('en-GB');
}

function problems({ problems: value, problemCount, plan }: RunView): Html | '' {
  const list: unknown[] = Array.isArray(value) ? value : [];
  if (list.length === 0) return '';
  const text = (problem: unknown, name: string) =>
    typeof problem === 'object' && problem !== null
      ? String(Object.getOwnPropertyDescriptor(problem, name)?.value ?? '')
      : '';
  const row = (problem: unknown) => [
    html`<code>${text(problem, 'path')}</code>`,
    text(problem, 'message'),
    insteadOf(text(problem, 'kept'), text(problem, 'since'), plan.zone),
  ];
  const { problems: caption, path, why: cause, instead } = texts.run;
  const columns = [path, cause, instead].map((label) => ({ label }));
  return html`<h2>${caption}</h2>${problemCount > list.length ? html`<p>${texts.run.more(problemCount)}</p>` : ''}
<div class="card">${table({ caption, columns, rows: list.map(row) })}</div>`;
}

/** What the snapshot has in place of what could not be read, and of when; older runs do not say. */
function insteadOf(kept: string, since: string, zone: string): string {
  if (kept !== 'true') return kept === 'false' ? texts.run.noCopy : '';
  return since === '' ? texts.run.copy : texts.run.copyOf(shownTime(new Date(since), zone));
}
