import { html } from 'hono/html';
import { type ErasureReceipt, findErasureReceipt, type Remains } from '../../database/people/person-erasures.ts';
import { isUuid } from '../../uuid.ts';
import type { Html } from '../layout.ts';
import { type LiveParts, liveEvents, liveHead, livePart, lookEveryMs } from '../live.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, page, type Visit } from '../visit.ts';

/** How soon a receipt is looked at again, in milliseconds: snapshots go within minutes, a token may take days to end. */
const lookMs = { snapshots: 5 * lookEveryMs, token: 30 * lookEveryMs };

/** What was done when a person had everything erased, and what still waits; for whoever knows the address. */
export async function receipt(visit: Visit): Promise<Response> {
  const { formats, settings } = visit.texts;
  const t = settings.receipt;
  const found = await getReceipt(visit);
  const { id, begunAt, finishedAt, removed } = found;
  const isFinished = finishedAt !== null;
  const time = timesOf(visit);
  const { status, tokens } = partsOf(visit, found);
  const count = (name: keyof typeof removed) =>
    html`<dt>${t.removed[name]}</dt><dd>${formats.number(removed[name])}</dd>`;
  const body = html`<div ${isFinished ? '' : html`data-live="/erased/${id}/events"`}><section class="card ${isFinished ? 'good' : 'warn'}"><p class="lead">${t.begun(time(begunAt))}</p><p>${t.number} <code>${id}</code></p><p class="unprinted">${t.keep}</p></section>
<section class="card"><h2>${t.removed.title}</h2><dl>${(['consents', 'uses', 'backups', 'notices', 'events', 'sessions'] as const).map(count)}</dl><p>${t.removed.person}</p></section>
<section class="card"><h2>${t.tokens.title}</h2>${livePart('tokens', tokens)}</section>
<section class="card"><h2>${t.snapshots.title}</h2>${livePart('status', status)}</section>
<section class="card"><h2>${t.rest.title}</h2><p>${isFinished ? t.rest.gone(time(finishedAt)) : t.rest.waits}</p></section></div>
<p class="unprinted"><a href="/erased/${id}/receipt.json">${t.download}</a></p>`;
  return page(visit, isFinished ? t.title : t.waitingTitle, body, {
    head: isFinished ? '' : liveHead(lookAgainMs(found) / 1000),
  });
}

/** What changes on a receipt, as server-sent events, until nothing waits any more. */
export async function receiptEvents(visit: Visit): Promise<Response> {
  const { id } = await getReceipt(visit);
  return liveEvents(visit, async () => {
    const found = await findErasureReceipt(visit.resources.database, id);
    if (found === null || found.finishedAt !== null) return undefined;
    return { parts: partsOf(visit, found), againMs: lookAgainMs(found) };
  });
}

function lookAgainMs({ remains }: ErasureReceipt): number {
  return remains.snapshots.kept ? lookMs.snapshots : lookMs.token;
}

function partsOf(visit: Visit, { remains }: ErasureReceipt) {
  const { texts } = visit;
  return {
    status: snapshotsPart(texts, remains, timesOf(visit)),
    tokens: tokensPart(texts.settings.receipt, remains),
  } satisfies LiveParts;
}

function timesOf({ resources, texts }: Visit): (at: Date) => string {
  return (at) => texts.formats.time(at, resources.config.window.zone);
}

/** The same for other programs, moments in UTC. */
export async function receiptAsJson(visit: Visit): Promise<Response> {
  const found = await getReceipt(visit);
  return new Response(`${JSON.stringify(found, undefined, 2)}\n`, {
    headers: {
      'content-type': 'application/json',
      'content-disposition': 'attachment; filename="nightkeep-receipt.json"',
    },
  });
}

async function getReceipt({ c, resources }: Visit): Promise<ErasureReceipt> {
  const id = c.req.param('id') ?? '';
  const found = isUuid(id) ? await findErasureReceipt(resources.database, id) : null;
  if (found === null) throw notFound();
  return found;
}

function tokensPart({ tokens: t }: Texts['settings']['receipt'], { ended, outstanding }: Remains): Html {
  const happened = (['revoked', 'expired', 'shredded'] as const).filter((end) => ended[end] > 0);
  if (outstanding > 0) return html`<p>${t.outstanding}</p>`;
  return happened.length === 0 ? html`<p>${t.none}</p>` : html`${happened.map((end) => html`<p>${t[end]}</p>`)}`;
}

function snapshotsPart(
  { formats, settings, withdraw }: Texts,
  { snapshots: { erased, kept } }: Remains,
  time: (at: Date) => string,
): Html {
  const t = settings.receipt.snapshots;
  if (kept) return html`<p>${t.kept}</p>`;
  if (erased === null) return html`<p>${t.none}</p>`;
  const { at, bytes, files, snapshots } = erased;
  return html`<p><strong>${withdraw.erased(time(new Date(at)))}</strong></p><p>${withdraw.erasedWhat(snapshots, files, formats.bytes(bytes))}</p>`;
}
