import { html } from 'hono/html';
import { type ErasureReceipt, findErasureReceipt, type Remains } from '../../database/people/person-erasures.ts';
import { isUuid } from '../../uuid.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, page, type Visit } from '../visit.ts';

const reloadSeconds = 10;

/** What was done when a person had everything erased, and what still waits; for whoever knows the address. */
export async function receipt(visit: Visit): Promise<Response> {
  const { c, resources, texts } = visit;
  const { formats, settings } = texts;
  const t = settings.receipt;
  const found = await getReceipt(visit);
  const { id, begunAt, finishedAt, remains, removed } = found;
  const time = (at: Date) => formats.time(at, resources.config.window.zone);
  if (remains.snapshots.kept) c.header('refresh', String(reloadSeconds));
  const count = (name: keyof typeof removed) =>
    html`<dt>${t.removed[name]}</dt><dd>${formats.number(removed[name])}</dd>`;
  const body = html`<section class="card ${finishedAt === null ? 'warn' : 'good'}"><p class="lead">${t.begun(time(begunAt))}</p><p>${t.number} <code>${id}</code></p><p class="unprinted">${t.keep}</p></section>
<section class="card"><h2>${t.removed.title}</h2><dl>${(['consents', 'uses', 'backups', 'notices', 'events', 'sessions'] as const).map(count)}</dl><p>${t.removed.person}</p></section>
<section class="card"><h2>${t.tokens.title}</h2>${tokensPart(t, remains)}</section>
<section class="card"><h2>${t.snapshots.title}</h2>${snapshotsPart(texts, remains, time)}</section>
<section class="card"><h2>${t.rest.title}</h2><p>${finishedAt === null ? t.rest.waits : t.rest.gone(time(finishedAt))}</p></section>
<p class="unprinted"><a href="/erased/${id}/receipt.json">${t.download}</a></p>`;
  return page(visit, finishedAt === null ? t.waitingTitle : t.title, body);
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
