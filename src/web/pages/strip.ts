import { html } from 'hono/html';
import type { Budget } from '../../store/history/budget.ts';
import type { History } from '../../store/history/history.ts';
import { isSame, otherStates, type PathAtNight, pathAtNights } from '../../store/history/nights.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import type { NightTimes } from '../night-times.ts';
import { addressOf, type Kind, type OpenSnapshot } from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';

/** Nights on the strip before the one that is shown, and after it. */
const around = { before: 20, after: 10 };
/** Nights on either side of it that a phone has room for. */
const near = 5;

interface Strip {
  readonly opened: OpenSnapshot;
  /** What is looked at, and on which page. */
  readonly path: string;
  readonly kind: Kind;
  readonly times: NightTimes;
  readonly texts: Texts;
  readonly budget: Budget;
}

/** The head of a page that shows something as it was in one night: the night, the nights around it, and those that it changed in. */
export async function nightHead(strip: Strip): Promise<Html> {
  const { opened, path, kind, times, texts, budget } = strip;
  const t = texts.snapshots;
  const { saved } = opened;
  const { taken, nights } = await nightsAround(strip);
  const here = nights.findIndex(({ id }) => id === saved.id);
  const { earlier, later } = await otherStates(opened.history, saved, path, budget);
  const way = (to: SavedSnapshot | undefined, label: string, rel: 'prev' | 'next') =>
    to === undefined
      ? ''
      : html`<a class="button quiet" rel="${rel}" href="${addressOf(to, kind, path)}" title="${t.stateOf(times.moment(to.snapshot.time))}">${rel === 'prev' ? icon('previous') : ''}${label}${rel === 'next' ? icon('next') : ''}</a>`;
  return html`<section class="card night" aria-label="${t.night}"><div class="night-head"><div><h1>${times.longDay(saved.snapshot.time)}</h1>
<p class="soft">${t.asAt(times.time(saved.snapshot.time), times.zone)}</p></div>
<div class="ways">${way(earlier, t.earlier, 'prev')}${way(later, t.later, 'next')}</div></div>
${unreadable(opened.history, texts)}<nav class="strip" aria-label="${t.nights}"><ol>${nights.map((night, index) => stop(strip, night, { before: nights[index - 1] ?? taken, isFar: Math.abs(index - here) > near }))}</ol></nav>
<div class="night-foot">${opened.history.snapshots.length > 1 ? dayForm(strip) : ''}<a href="/snapshots/nights">${t.all(opened.history.snapshots.length)}</a></div></section>`;
}

function dayForm(strip: Strip): Html {
  const { opened, path, kind, times, texts } = strip;
  const t = texts.snapshots;
  return html`<form action="${addressOf(opened.saved, kind, path)}"><label>${t.goTo} <input type="date" name="night" value="${times.date(opened.saved.snapshot.time)}" min="${edge(strip, 0)}" max="${edge(strip, -1)}" required></label> <button class="quiet">${t.go}</button></form>
`;
}

/** Says that there are snapshots that cannot be read. */
export function unreadable({ damaged }: Pick<History, 'damaged'>, { snapshots: t }: Texts): Html | '' {
  return damaged === 0 ? '' : html`<p class="card bad">${t.damagedSnapshots(damaged)}</p>`;
}

/** The nights that the strip shows, and the one before them. */
async function nightsAround({ opened, path, budget }: Strip) {
  const { snapshots } = opened.history;
  const here = snapshots.indexOf(opened.saved);
  const first = Math.max(Math.min(here - around.before, snapshots.length - around.before - around.after - 1), 0);
  const shown = snapshots.slice(Math.max(first - 1, 0), first + around.before + around.after + 1);
  const nights = await pathAtNights(opened.history, shown, path, budget);
  return first === 0 ? { taken: undefined, nights } : { taken: nights[0], nights: nights.slice(1) };
}

function stop(
  strip: Strip,
  night: PathAtNight,
  { before, isFar }: { before: PathAtNight | undefined; isFar: boolean },
): Html {
  const { opened, path, kind, times, texts } = strip;
  const t = texts.snapshots;
  const state = stateOf(night, before);
  const isHere = night.id === opened.saved.id;
  const label = `${times.moment(night.snapshot.time)}: ${t.states[state]}`;
  const day = isHere ? html`<span class="day" aria-hidden="true">${times.shortDay(night.snapshot.time)}</span>` : '';
  const dot =
    state === 'absent'
      ? html`<span class="stop" role="img" aria-label="${label}" title="${label}"></span>`
      : html`<a class="stop" href="${addressOf(night, kind, path)}" aria-label="${label}" title="${label}" ${isHere ? html`aria-current="true"` : ''}></a>`;
  return html`<li class="${state}${isFar ? ' far' : ''}">${dot}${day}</li>`;
}

type State = keyof Texts['snapshots']['states'];

function stateOf({ sight }: PathAtNight, before: PathAtNight | undefined): State {
  if (sight === undefined || (before !== undefined && before.sight === undefined)) return 'unread';
  if (sight === null) return 'absent';
  if (before?.sight == null) return 'first';
  return isSame(sight, before.sight) ? 'same' : 'other';
}

function edge({ opened, times }: Strip, at: 0 | -1): string {
  return times.date(opened.history.snapshots.at(at)?.snapshot.time ?? '');
}

/** The last snapshot of the day that a form asks for, or else of the days before it; the first where it asks for an earlier one. */
export function snapshotOfDay(
  { snapshots }: OpenSnapshot['history'],
  day: string,
  times: NightTimes,
): SavedSnapshot | undefined {
  return snapshots.findLast(({ snapshot }) => times.date(snapshot.time) <= day) ?? snapshots[0];
}
