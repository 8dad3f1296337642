import { html } from 'hono/html';
import type { RunView } from '../../database/nights/views.ts';
import { numbersIn } from '../../domain/run-counts.ts';
import { whyInWords } from '../english.ts';
import type { Html } from '../layout.ts';
import { pageOf, pager } from '../paging.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import type { PersonVisit } from '../visit.ts';
import { entryName } from './entry-name.ts';
import { goneFoldersPart } from './gone-folders.ts';

/** Problems on one page. */
const onePage = 100;

/** What was new, changed, gone and kept, and below it everything that was counted. */
export function countsPart(texts: Texts, { counts, goneFolders, snapshotId, snapshotForgottenAt }: RunView): Html | '' {
  const { run: t, counts: names, changes } = texts;
  const numbers = numbersIn(counts);
  const shown = Object.entries(names).flatMap(([name, label]) => {
    const count = Object.entries(numbers).find(([known]) => known === name)?.[1];
    return count === undefined ? [] : [{ label, count: shownCount(texts, name, count) }];
  });
  if (shown.length === 0) return '';
  const { filesNew, filesChanged, entriesGone, entriesKept, entries } = numbers;
  const tile = (label: string, count: number | undefined) =>
    count === undefined ? '' : html`<div><dt>${label}</dt><dd>${texts.formats.number(count)}</dd></div>`;
  const all = entries === undefined ? undefined : entries + (entriesKept ?? 0);
  const tiles = html`${tile(changes.new, filesNew)}${tile(changes.changed, filesChanged)}${tile(changes.gone, entriesGone)}${tile(changes.kept, entriesKept)}${tile(changes.all, all)}`;
  const rows = shown.map(
    ({ label, count }) => html`<tr><th scope="row">${label}</th><td class="number">${count}</td></tr>`,
  );
  const goneWhole = goneFoldersPart(texts, { goneFolders });
  return html`<section class="card"><h2>${changes.title}</h2><dl class="tiles">${tiles}</dl>${goneWhole === '' ? '' : html`<p>${goneWhole}</p>`}
${snapshotId === null || snapshotForgottenAt !== null ? '' : html`<p><a href="/snapshots/${snapshotId}/changes/">${changes.which}</a></p>`}
<details><summary>${t.counts}</summary><table><caption>${t.counts}</caption><tbody>${rows}</tbody></table></details></section>`;
}

function shownCount({ formats }: Texts, name: string, count: number): string {
  if (/bytes|data/i.test(name)) return formats.bytes(count);
  return name === 'ms' ? formats.duration(count) : formats.number(count);
}

/** What could not be read and why, a page at a time. */
export function problemsPart({ texts, url }: PersonVisit, { problems, problemCount, plan }: RunView): Html | '' {
  const t = texts.run;
  const list: unknown[] = Array.isArray(problems) ? problems : [];
  const shown = pageOf(url, list, { size: onePage });
  if (list.length === 0) return '';
  const row = (problem: unknown) => [
    entryName(texts, wordOf(problem, 'path'), { isFolder: wordOf(problem, 'folder') === 'true' }),
    whyInWords(texts, wordOf(problem, 'code'), wordOf(problem, 'message')),
    insteadOf(texts, wordOf(problem, 'kept'), wordOf(problem, 'since'), plan.zone),
  ];
  const columns = [t.path, t.why, t.instead].map((label) => ({ label }));
  const rows = shown.items.map(row);
  const more = problemCount > list.length ? html`<p class="soft">${t.more(list.length, problemCount)}</p>` : '';
  return html`<section class="card" id="problems"><h2>${t.problems}</h2>${more}${table({ caption: t.problems, columns, rows })}${pager(shown, { ...t, label: texts.nights.pages, shown: t.range }, (to) => `?page=${to}#problems`)}</section>`;
}

/** A member of a problem as it was kept. */
function wordOf(problem: unknown, name: string): string {
  return typeof problem === 'object' && problem !== null
    ? String(Object.getOwnPropertyDescriptor(problem, name)?.value ?? '')
    : '';
}

/** What the snapshot has in place of what could not be read, and of when; older runs do not say. */
function insteadOf({ formats, run: t }: Texts, kept: string, since: string, zone: string): string {
  if (kept !== 'true') return kept === 'false' ? t.noCopy : '';
  return since === '' ? t.copy : t.copyOf(formats.time(new Date(since), zone));
}
