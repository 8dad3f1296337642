import { html } from 'hono/html';
import { page, type Visit } from '../visit.ts';

/**
 * What a page that loads itself again becomes once nobody is signed in. The provider would let in who left, without a word, and of
 * somebody who was erased there would be a new row.
 */
export async function signedOut(visit: Visit): Promise<Response> {
  const { texts, url } = visit;
  const t = texts.signedOut;
  const href = `/login?returnTo=${encodeURIComponent(url.pathname + url.search)}`;
  return page(
    visit,
    t.title,
    html`<p class="lead">${t.lead}</p><p><a class="button" href="${href}">${texts.menu.signIn}</a></p>`,
  );
}
