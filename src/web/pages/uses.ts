import { html } from 'hono/html';
import type { Database } from '../../database/client.ts';
import { type ExchangeView, listExchangesOfPerson } from '../../database/consent/grant-views.ts';
import { dayMs } from '../../durations.ts';
import { isUuid } from '../../uuid.ts';
import { csvOf, download, jsonOf } from '../export.ts';
import type { Html } from '../layout.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';
import { notFound, type PersonVisit } from '../visit.ts';

type Words = Texts['uses'];
const onePage = 100;
/** The uses of a person's consent that are on record, newest first, a page at a time; the address says where it begins. */
export async function usesPart(
  { resources, session, texts, url }: PersonVisit,
  zone: string | undefined,
): Promise<Html> {
  const t = texts.uses;
  const { userId } = session;
  const before = url.searchParams.get('before') ?? undefined;
  if (before !== undefined && !isUuid(before)) throw notFound();
  const found = await listExchangesOfPerson(resources.database, { userId, before, limit: onePage + 1 });
  const shown = found.slice(0, onePage);
  const time = (at: Date) => texts.formats.time(at, zone ?? 'UTC');
  if (shown.length === 0)
    return html`<h2 id="uses">${t.title}</h2><p class="soft">${before === undefined ? t.none : t.noneOlder}</p>`;
  const older =
    found.length > onePage ? html`<p><a href="/grant?before=${shown.at(-1)?.id}#uses">${t.older}</a></p>` : '';
  return html`<h2 id="uses">${t.title}</h2><p class="soft">${t.lead(Math.floor(resources.config.recordsKept.usesMs / dayMs))} ${before !== undefined || older ? t.shown(shown.length) : t.all(shown.length)}</p>
<div class="card">${table({
    caption: t.title,
    columns: [{ label: t.when }, { label: t.what }, { label: t.answer }],
    rows: shown.map((use) => rowOf(t, use, time(use.startedAt))),
  })}</div>${older}
<p>${t.download} <a href="/grant/uses.csv">CSV</a>, <a href="/grant/uses.json">JSON</a></p>`;
}

function rowOf(t: Words, { purpose, runId, night, verdict, hint }: ExchangeView, at: string): (Html | string)[] {
  const what = wordFor(t.purposes, purpose) ?? purpose;
  const forWhat = runId && night !== null ? html`<a href="/runs/${runId}">${t.ofNight(night)}</a>` : what;
  return [at, forWhat, html`<span class="word ${verdict ?? ''}">${answerOf(t, { verdict, hint })}</span>`];
}

function answerOf(t: Words, { verdict, hint }: Pick<ExchangeView, 'verdict' | 'hint'>): string {
  const answer = verdict === null ? t.open : (wordFor(t.verdicts, verdict) ?? verdict);
  const why = hint === null ? undefined : wordFor(t.hints, hint);
  return why === undefined ? answer : `${answer}: ${why}`;
}

/** All uses as a table for other programs (RFC 4180), moments in UTC. */
export async function usesAsCsv(visit: PersonVisit): Promise<Response> {
  const {
    resources: { database },
    session,
    texts,
  } = visit;
  const names = ['at', 'answeredAt', 'for', 'run', 'night', 'verdict', 'status', 'error', 'answer'];
  return download(visit, 'uses.csv', 'text/csv; charset=utf-8', () => csvOf(names, rows()));

  async function* rows() {
    for await (const use of allUses(database, session.userId)) yield Object.values(recordOf(texts.uses, use));
  }
}

/** The same as JSON. */
export async function usesAsJson(visit: PersonVisit): Promise<Response> {
  const {
    resources: { database },
    session,
    texts,
  } = visit;
  return download(visit, 'uses.json', 'application/json', () => jsonOf(records()));

  async function* records() {
    for await (const use of allUses(database, session.userId)) yield recordOf(texts.uses, use);
  }
}

function recordOf(t: Words, use: ExchangeView) {
  const { startedAt: at, answeredAt, purpose, runId: run, night, verdict, status, errorCode: error } = use;
  return { at, answeredAt, for: purpose, run, night, verdict, status, error, answer: answerOf(t, use) };
}

async function* allUses(database: Database, userId: string): AsyncGenerator<ExchangeView> {
  const limit = 1_000;
  let before: string | undefined;
  for (;;) {
    const uses = await listExchangesOfPerson(database, { userId, before, limit });
    yield* uses;
    before = uses.at(-1)?.id;
    if (uses.length < limit) return;
  }
}
