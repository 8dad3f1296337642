import { html } from 'hono/html';
import { findRunOfPerson, type RunView } from '../../database/views.ts';
import type { Html } from '../layout.ts';
import { shownBytes, shownDuration, shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { notFound, type PersonVisit, page } from '../visit.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One run: outcome, counts, and what could not be read. */
export async function run(visit: PersonVisit): Promise<Response> {
  const id = visit.c.req.param('id') ?? '';
  const { resources, session } = visit;
  const named = { userId: session.userId, runId: id };
  const view = uuid.test(id) ? await findRunOfPerson(resources.database, named) : null;
  if (view === null) throw notFound();
  return page(visit, texts.run.title(view.night), html`${facts(view)}${counts(view.counts)}${problems(view)}`);
}

function facts(view: RunView): Html {
  const time = (at: Date | null) => (at === null ? '–' : shownTime(at, view.plan.zone));
  return html`<dl class="card"><dt>${texts.run.outcome}</dt><dd><span class="word ${view.state}">${texts.states[view.state] ?? view.state}</span></dd>
${view.message ? html`<dt>${texts.run.why}</dt><dd>${view.message}</dd>` : ''}
<dt>${texts.run.trigger}</dt><dd>${texts.triggers[view.trigger] ?? view.trigger}</dd>
<dt>${texts.run.started}</dt><dd>${time(view.startedAt)}</dd><dt>${texts.run.finished}</dt><dd>${time(view.finishedAt)}</dd>
${view.snapshotId ? html`<dt>${texts.run.snapshot}</dt><dd><a href="/snapshots/${view.snapshotId}/browse/">${texts.run.browse}</a></dd>` : ''}</dl>`;
}

function counts(value: unknown): Html | '' {
  if (typeof value !== 'object' || value === null) return '';
  const found = new Map<string, unknown>(Object.entries(value));
  const row = ([name, label]: [string, string]) => {
    const count = found.get(name);
    if (typeof count !== 'number') return '';
    return html`<tr><th scope="row">${label}</th><td class="number">${shownCount(name, count)}</td></tr>`;
  };
  return html`<h2>${texts.run.counts}</h2><div class="table"><table><caption>${texts.run.counts}</caption><tbody>${Object.entries(texts.counts).map(row)}</tbody></table></div>`;
}

function shownCount(name: string, count: number): string {
  if (/bytes|data/i.test(name)) return shownBytes(count);
  return name === 'ms' ? shownDuration(count) : count.toLocaleString('en-GB');
}

function problems({ problems: value, problemCount }: RunView): Html | '' {
  const list: unknown[] = Array.isArray(value) ? value : [];
  if (list.length === 0) return '';
  const text = (problem: unknown, name: string) =>
    typeof problem === 'object' && problem !== null
      ? String(Object.getOwnPropertyDescriptor(problem, name)?.value ?? '')
      : '';
  const row = (problem: unknown) =>
    html`<tr><td><code>${text(problem, 'path')}</code></td><td>${text(problem, 'message')}</td></tr>`;
  return html`<h2>${texts.run.problems}</h2>${problemCount > list.length ? html`<p>${texts.run.more(problemCount)}</p>` : ''}
<div class="table"><table><thead><tr><th scope="col">${texts.run.path}</th><th scope="col">${texts.run.why}</th></tr></thead><tbody>${list.map(row)}</tbody></table></div>`;
}
