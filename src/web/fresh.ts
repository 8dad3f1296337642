import { html } from 'hono/html';
import { freshMs } from '../flows/consent/give-consent.ts';
import { form, type Html } from './layout.ts';
import type { Session } from './session.ts';
import type { PersonVisit } from './visit.ts';

/** Whether the person showed the provider who they are within the last minutes, so that a browser left open is not enough. */
export function isFresh({ authenticatedAt }: Pick<Session, 'authenticatedAt'>, now: Date): boolean {
  return authenticatedAt !== null && authenticatedAt.getTime() > now.getTime() - freshMs;
}

/** The address that has the provider ask who it is, and leads back to the path. */
export function freshSignIn(path: string): string {
  return `/login?fresh=yes&returnTo=${encodeURIComponent(path)}`;
}

interface FreshForm {
  readonly action: string;
  /** Fields and button. */
  readonly inner: Html;
  /** The page that the form stands on. */
  readonly path: string;
}

/** A form for something that requires a fresh sign-in; until there has been one, the way to sign in stands in its place. */
export function freshForm({ resources, session, texts }: PersonVisit, { action, inner, path }: FreshForm): Html {
  if (isFresh(session, resources.clock.now())) return form(session, action, inner);
  return html`<p>${texts.fresh.why}</p><p><a class="button" href="${freshSignIn(path)}">${texts.fresh.signIn}</a></p>`;
}
