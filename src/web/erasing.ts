import { html } from 'hono/html';
import { isErasureDue } from '../database/repositories/erasures.ts';
import type { Html } from './layout.ts';
import type { Texts } from './texts/en.ts';
import type { PersonVisit } from './visit.ts';

/** Whether the snapshots of the person are to be erased now, or are being erased: nothing is offered that needs them to stay. */
export function isErasing({ resources: { clock, database }, session }: Pick<PersonVisit, 'resources' | 'session'>) {
  return isErasureDue(database, { userId: session.userId, at: clock.now() });
}

/** What stands in the place of all that is not offered then. */
export function erasingCard({ retention: t }: Texts): Html {
  return html`<p class="card warn">${t.erasing}</p>`;
}
