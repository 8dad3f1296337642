import { html } from 'hono/html';
import { type AuditFilter, type AuditView, allAudit, listAudit, saveAudit } from '../../../database/audit.ts';
import { findUsersByName } from '../../../database/nights/command-views.ts';
import { actorKinds, acts } from '../../../domain/audit.ts';
import { startOfDay } from '../../../domain/nights.ts';
import { dayMs } from '../../../durations.ts';
import { csvOf, download, jsonOf } from '../../export.ts';
import type { Html } from '../../layout.ts';
import { name as safeName } from '../../names.ts';
import { table } from '../../table.ts';
import type { Texts } from '../../texts/en.ts';
import { wordFor } from '../../texts/word.ts';
import { notFound, type PersonVisit } from '../../visit.ts';
import { aboutOf } from './audit-about.ts';
import { operatorOf, operatorPage, timesOf } from './frame.ts';

const onePage = 100;

/** Who did what, newest first, a page at a time. */
export async function audit(visit: PersonVisit): Promise<Response> {
  const { texts, url } = visit;
  const t = texts.operator.audit;
  const before = url.searchParams.get('before') ?? undefined;
  if (before !== undefined && !/^\d{1,18}$/.test(before)) throw notFound();
  const filter = await readFilter(visit);
  const found =
    filter === undefined ? [] : await listAudit(visit.resources.database, { filter, before, limit: onePage + 1 });
  const shown = found.slice(0, onePage);
  const name = url.searchParams.get('person') ?? '';
  const unknown = filter === undefined ? html`<p class="card warn">${t.unknownPerson(name)}</p>` : '';
  const list = shown.length === 0 ? html`<p class="soft">${t.none}</p>` : entriesTable(visit, shown);
  const older = found.length > onePage ? link(url, { before: shown.at(-1)?.id ?? '' }, t.older) : '';
  const newest = before === undefined ? '' : link(url, { before: '' }, t.newest);
  const files = html`${t.download} <a href="/operator/audit.csv${url.search}">CSV</a>, <a href="/operator/audit.json${url.search}">JSON</a>`;
  const body = html`<p class="lead">${t.lead}</p>${filterForm(visit)}${unknown}${list}<p>${newest} ${older}</p><p>${files}</p>`;
  return operatorPage(visit, { title: t.title, place: '/operator/audit', body });
}

/** All that fits the filter as a table for other programs; that it was downloaded goes into the audit. */
export async function auditAsCsv(visit: PersonVisit): Promise<Response> {
  const records = await exported(visit);
  const names = ['id', 'at', 'by', 'byId', 'byName', 'act', 'userId', 'user', 'about', 'reason'];
  return download(visit, 'audit.csv', 'text/csv; charset=utf-8', () => csvOf(names, rows()));

  async function* rows() {
    for await (const { id, at, by, act, user, about, reason } of records)
      yield [id, at, by.kind, by.id, by.name, act, user?.id, user?.name, about, reason];
  }
}

/** The same as JSON. */
export async function auditAsJson(visit: PersonVisit): Promise<Response> {
  const records = await exported(visit);
  return download(visit, 'audit.json', 'application/json', () => jsonOf(records));
}

async function exported(visit: PersonVisit): Promise<AsyncIterable<AuditView>> {
  const { clock, database } = visit.resources;
  const filter = await readFilter(visit);
  if (filter === undefined) throw notFound();
  await saveAudit(database, { at: clock.now(), by: operatorOf(visit), act: 'audit-exported' });
  return allAudit(database, filter);
}

/** What the address asks for; undefined where it names a person who is not to be found. */
async function readFilter({ resources, url }: PersonVisit): Promise<AuditFilter | undefined> {
  const asked = (name: string) => url.searchParams.get(name)?.trim() || undefined;
  const { zone } = resources.config.window;
  const name = asked('person');
  const people = name === undefined ? [] : await findUsersByName(resources.database, name);
  if (name !== undefined && people.length !== 1) return undefined;
  return {
    kind: actorKinds.find((kind) => kind === asked('who')),
    act: acts.find((act) => act === asked('what')),
    userId: people[0]?.id,
    since: dayOf(zone, asked('since'), 0),
    until: dayOf(zone, asked('until'), 1),
  };
}

/** The beginning of the day this many days after the date; something that is not a date counts as none. */
function dayOf(zone: string, date: string | undefined, days: number): Date | undefined {
  const moment = /^\d{4}-\d\d-\d\d$/.test(date ?? '') ? Date.parse(`${date}T00:00Z`) : Number.NaN;
  if (Number.isNaN(moment)) return undefined;
  return startOfDay(zone, new Date(moment + days * dayMs).toISOString().slice(0, 10));
}

function filterForm({ texts, url }: PersonVisit): Html {
  const t = texts.operator.audit;
  const value = (name: string) => url.searchParams.get(name) ?? '';
  const choice = (name: string, label: string, any: string, words: Readonly<Record<string, string>>) => {
    const option = ([key, word]: [string, string]) =>
      html`<option value="${key}" ${value(name) === key ? html`selected` : ''}>${word}</option>`;
    return html`<label>${label} <select name="${name}"><option value="">${any}</option>${Object.entries(words).map(option)}</select></label>`;
  };
  return html`<form method="get" action="/operator/audit" class="filter" aria-label="${t.filter}">
${choice('who', t.who, t.anybody, t.actors)}${choice('what', t.what, t.anything, t.acts)}
<label>${t.person} <input name="person" value="${value('person')}" autocomplete="off"></label>
<label>${t.since} <input type="date" name="since" value="${value('since')}"></label>
<label>${t.until} <input type="date" name="until" value="${value('until')}"></label>
<button class="quiet">${t.show}</button></form>`;
}

function entriesTable(visit: PersonVisit, entries: readonly AuditView[]): Html {
  const { texts } = visit;
  const t = texts.operator.audit;
  const time = timesOf(visit);
  const columns = [t.when, t.who, t.what, t.whom, t.about, t.why].map((label) => ({ label }));
  const rows = entries.map((entry) => [
    time(entry.at),
    actorOf(entry, texts),
    wordFor(t.acts, entry.act) ?? entry.act,
    whomOf(entry, texts),
    apart(aboutOf(entry, texts, time)),
    apart(entry.reason),
  ]);
  return html`<div class="card">${table({ caption: t.title, columns, rows })}</div>`;
}

/** What somebody wrote, isolated so that it does not change the direction of the text around it. */
function apart(text: string | null): Html | '' {
  return text ? html`<bdi>${text}</bdi>` : '';
}

function actorOf({ by: { kind, id, name } }: AuditView, texts: Texts): Html {
  const word = texts.operator.audit.actors[kind] ?? kind;
  if (kind === 'command') return html`${word}, <bdi>${id ?? ''}</bdi>`;
  if (id === null) return html`${word}`;
  return html`${word}, ${safeName(name ?? texts.operator.somebody)}`;
}

function whomOf({ user }: AuditView, texts: Texts): Html | '' {
  return user === null ? '' : html`${safeName(user.name ?? texts.operator.somebody)}`;
}

function link(url: URL, change: Record<string, string>, label: string): Html {
  const target = new URL(url);
  for (const [name, value] of Object.entries(change))
    if (value === '') target.searchParams.delete(name);
    else target.searchParams.set(name, value);
  return html`<a href="${target.pathname}${target.search}">${label}</a>`;
}
