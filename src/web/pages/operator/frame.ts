import { html } from 'hono/html';
import type { Html } from '../../layout.ts';
import type { Texts } from '../../texts.ts';
import { type PersonVisit, page } from '../../visit.ts';

const places = { '/operator/audit': 'audit' } as const satisfies Record<string, keyof Texts['operator']['menu']>;

export type OperatorPlace = keyof typeof places;

/** A page for operators, with a menu of their pages. */
export async function operatorPage(
  visit: PersonVisit,
  { title, place, body }: { title: string; place: OperatorPlace; body: Html },
): Promise<Response> {
  const { menu, pages } = visit.texts.operator;
  const entry = ([href, name]: [string, keyof typeof menu]) =>
    html`<li><a href="${href}" ${href === place ? html`aria-current="page"` : ''}>${menu[name]}</a></li>`;
  const inner = html`<nav class="within" aria-label="${pages}"><ul>${Object.entries(places).map(entry)}</ul></nav>${body}`;
  return page(visit, title, inner, { place: '/operator/audit' });
}

/** The operator as events and the audit name them. */
export function operatorOf({ session }: PersonVisit): string {
  return `operator:${session.userId}`;
}
