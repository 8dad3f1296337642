import { html } from 'hono/html';
import { listCircuits } from '../../../database/custody/circuits.ts';
import { countGrants } from '../../../database/custody/inspect-custody.ts';
import { countVerdicts, forecastEnds, listPeople, type PersonRow } from '../../../database/people/people.ts';
import { dayMs } from '../../../durations.ts';
import { keepFigure } from '../../../flows/nights/keep-figure.ts';
import { isUuid } from '../../../uuid.ts';
import type { Html } from '../../layout.ts';
import { name as safeName } from '../../names.ts';
import { areaPlot } from '../../plots/area-plot.ts';
import { table } from '../../table.ts';
import { wordFor } from '../../texts/word.ts';
import { notFound, type PersonVisit } from '../../visit.ts';
import { countedNote, figure, operatorPage, timesNearNow, timesOf, zoneNote } from './frame.ts';
import { bars } from './plots.ts';

const onePage = 50;
const daysAhead = 60;
const states = ['active', 'suspect', 'needs_consent', 'withdrawn', 'none'] as const;

/** Consents by state, when they end, what the provider says, and the people one by one. */
export async function grants(visit: PersonVisit): Promise<Response> {
  const { title } = visit.texts.operator.grants;
  const cards = [figures, forecastCard, verdictsCard, circuitsCard, peopleCard];
  const [numbers, forecast, verdicts, circuits, people] = await Promise.all(cards.map((card) => card(visit)));
  const body = html`${numbers}<div class="columns">${forecast}${verdicts}</div>${circuits}${people}${zoneNote(visit)}`;
  return operatorPage(visit, { title, place: '/operator/grants', body });
}

async function figures({ resources, texts }: PersonVisit): Promise<Html> {
  const { grants: t, tonight } = texts.operator;
  const counts = await countGrants(resources.database);
  const sum = (which: (grant: (typeof counts)[number]) => boolean) =>
    counts.filter(which).reduce((total, { count }) => total + count, 0);
  const lost = sum(({ state, reason }) => state !== 'withdrawn' && reason === 'lost_rotation');
  const ofState = (name: string) =>
    figure(
      wordFor(t.states, name) ?? name,
      texts.formats.number(sum(({ state }) => state === name)),
      wordFor(t.notes, name) ?? '',
    );
  return html`<div class="figures">${states.filter((state) => state !== 'none').map(ofState)}
${figure(tonight.rotations, texts.formats.number(lost), tonight.rotationsNote, lost === 0 ? '' : 'bad')}</div>`;
}

async function forecastCard(visit: PersonVisit): Promise<Html> {
  const t = visit.texts.operator.grants;
  const { clock, database } = visit.resources;
  const at = clock.now();
  const { value: days, at: countedAt } = await keepFigure(
    { clock, database },
    { name: 'ends', of: String(daysAhead) },
    () => forecastEnds(database, { at, days: daysAhead }),
  );
  const living = (await countGrants(database))
    .filter(({ state }) => state === 'active' || state === 'suspect')
    .reduce((sum, { count }) => sum + count, 0);
  const last = days.at(-1);
  const plot = areaPlot(
    days.map(({ day, max }) => ({ x: day, y: max })),
    t.forecastMax(last?.max ?? 0, living),
  );
  const weekly = days.filter(({ day }) => day % 7 === 0);
  return html`<section class="card"><h2>${t.forecast}</h2><p class="soft">${t.forecastLead(daysAhead)}${countedNote(visit, countedAt)}</p>${plot}
<p>${t.forecastMax(last?.max ?? 0, living)} ${t.forecastIdle(last?.idle ?? 0)}</p>
<details><summary>${t.numbers}</summary><ul class="items">${weekly.map(({ day, max, idle }) => html`<li>${t.byDay(day, max, idle)}</li>`)}</ul></details></section>`;
}

async function verdictsCard(visit: PersonVisit): Promise<Html> {
  const t = visit.texts.operator.grants;
  const { clock, database } = visit.resources;
  const hours = await countVerdicts(database, { since: new Date(clock.now().getTime() - dayMs) });
  const time = timesNearNow(visit);
  const words = ({ hour, ok, unanswered, refused }: (typeof hours)[number]) =>
    t.verdictsOf(time(hour), ok, unanswered, refused);
  const plot = bars(
    hours.map((each) => ({
      label: words(each),
      parts: [
        { count: each.ok, kind: 'good' as const },
        { count: each.unanswered, kind: 'warn' as const },
        { count: each.refused, kind: 'bad' as const },
      ],
    })),
    t.verdictsLead,
  );
  if (hours.length === 0)
    return html`<section class="card"><h2>${t.verdicts}</h2><p class="soft">${t.noVerdicts}</p></section>`;
  return html`<section class="card"><h2>${t.verdicts}</h2><p class="soft">${t.verdictsLead}</p>${plot}
<details><summary>${t.numbers}</summary><ul class="items">${hours.toReversed().map((each) => html`<li>${words(each)}</li>`)}</ul></details></section>`;
}

async function circuitsCard(visit: PersonVisit): Promise<Html> {
  const t = visit.texts.operator.grants;
  const circuits = await listCircuits(visit.resources.database);
  const time = timesOf(visit);
  const item = ({ issuer, open, reason, openedAt, closedAt }: (typeof circuits)[number]) => {
    const story = open ? t.circuitOpen(reason, time(openedAt)) : t.circuitClosed(reason, time(closedAt ?? openedAt));
    return html`<li><bdi>${issuer}</bdi><span>${story}</span></li>`;
  };
  const list =
    circuits.length === 0
      ? html`<p class="soft">${t.noCircuits}</p>`
      : html`<ul class="items">${circuits.map(item)}</ul>`;
  return html`<section class="card ${circuits.some(({ open }) => open) ? 'bad' : ''}"><h2>${t.circuits}</h2>${list}</section>`;
}

async function peopleCard(visit: PersonVisit): Promise<Html> {
  const { resources, texts, url } = visit;
  const t = texts.operator.grants;
  const search = url.searchParams.get('person')?.trim() || undefined;
  const state = states.find((one) => one === url.searchParams.get('state'));
  const after = url.searchParams.get('after') ?? undefined;
  if (after !== undefined && !isUuid(after)) throw notFound();
  const found = await listPeople(resources.database, { search, state, after, limit: onePage + 1 });
  const shown = found.slice(0, onePage);
  const time = timesOf(visit);
  const option = (one: (typeof states)[number]) =>
    html`<option value="${one}" ${one === state ? html`selected` : ''}>${t.states[one]}</option>`;
  const target = (place: string) =>
    `/operator/grants?${new URLSearchParams({ person: search ?? '', state: state ?? '', ...(place && { after: place }) })}#people`;
  const more = found.length > onePage ? html`<a href="${target(shown.at(-1)?.id ?? '')}">${t.more}</a>` : '';
  const first = after === undefined ? '' : html`<a href="${target('')}">${t.first}</a>`;
  const columns = [t.person, t.state, t.idle, t.max, t.next].map((label) => ({ label }));
  const rows = shown.map((person) => rowOf(person, time, texts.operator.grants));
  const list = rows.length === 0 ? html`<p class="soft">${t.none}</p>` : table({ caption: t.people, columns, rows });
  return html`<section class="card"><h2 id="people">${t.people}</h2>
<form method="get" action="/operator/grants#people" class="filter"><label>${t.search} <input name="person" value="${search ?? ''}" autocomplete="off"></label>
<label>${t.state} <select name="state"><option value="">${t.any}</option>${states.map(option)}</select></label><button class="quiet">${t.show}</button></form>
${list}<p class="pager">${first} ${more}</p></section>`;
}

/** How a consent stands, and why; a reason that nobody here knows is shown as it is. */
export function stateWords(
  { state, reason }: Pick<PersonRow, 'state' | 'reason'>,
  { reasons, states: words }: PersonVisit['texts']['operator']['grants'],
): string {
  const why = reason === null ? '' : ` (${wordFor(reasons, reason) ?? reason})`;
  return `${words[state ?? 'none'] ?? state}${why}`;
}

function rowOf(
  { id, username, subject, state, reason, idleDeadline, maxDeadline, nextDueAt, paused }: PersonRow,
  time: (at: Date) => string,
  t: PersonVisit['texts']['operator']['grants'],
) {
  const living = state === 'active' || state === 'suspect';
  return [
    html`<a href="/operator/people/${id}">${safeName(username ?? subject)}</a>`,
    stateWords({ state, reason }, t),
    living && idleDeadline !== null ? time(idleDeadline) : '',
    living && maxDeadline !== null ? time(maxDeadline) : '',
    !living || nextDueAt === null ? '' : paused ? t.paused : time(nextDueAt),
  ];
}
