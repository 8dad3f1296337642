import { html } from 'hono/html';
import { findFormerIssuer } from '../../database/consent/provider-moves.ts';
import type { Html } from '../layout.ts';
import type { PersonVisit } from '../visit.ts';

/** A word to somebody without consent who seems to have been here through another address of their provider. */
export async function formerAddress({
  resources,
  session,
  texts: { formerAddress: t },
}: PersonVisit): Promise<Html | ''> {
  const issuer = await findFormerIssuer(resources.database, { userId: session.userId });
  if (issuer === null) return '';
  return html`<section class="card warn"><p><strong>${t.happened(issuer)}</strong></p><p>${t.act}</p></section>`;
}
