import type { Context } from 'hono';
import { findPlanOfPerson } from '../database/nights/views.ts';
import { AppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { type Html, layout } from './layout.ts';
import type { Session } from './session.ts';
import type { Texts } from './texts/en.ts';

/** One request, and what is open to answer it with. */
export interface Visit {
  readonly c: Context;
  readonly url: URL;
  readonly resources: Resources;
  readonly session: Session | undefined;
  /** The words in the language of the visit. */
  readonly texts: Texts;
}

/** A visit of somebody who is signed in. Whatever belongs to a person is asked for with the id in the session. */
export type PersonVisit = Visit & { readonly session: Session };

/** The time zone that a person's pages show: that of their plan, or the one of the settings before there is a plan. */
export async function zoneOf({ resources: { config, database }, session: { userId } }: PersonVisit): Promise<string> {
  return (await findPlanOfPerson(database, { userId }))?.zone ?? config.window.zone;
}

interface PageOptions {
  /** The address of the menu entry that the page belongs to. */
  readonly place?: string;
  readonly status?: 200 | 400 | 403 | 404 | 405 | 415 | 429 | 500 | 503;
  /** The body has a heading of its own. */
  readonly headed?: boolean;
  /** What else belongs into the head. */
  readonly head?: Html | '';
}

/** Answers with a page. */
export async function page(
  { c, session, texts }: Pick<Visit, 'c' | 'session' | 'texts'>,
  title: string,
  body: Html,
  { status = 200, ...options }: PageOptions = {},
): Promise<Response> {
  return c.html(await layout({ title, session, texts, body, here: addressOf(c), ...options }), status);
}

/** Where a form on this page leads back to; an answer of the provider is not asked for twice. */
function addressOf({ req }: Context): string {
  const { pathname, search } = new URL(req.url);
  return req.method === 'GET' && pathname !== '/callback' ? pathname + search : '/';
}

/** The same answer for what does not exist and for what belongs to somebody else, so that nobody learns which it is. */
export function notFound(): AppError {
  return new AppError('request/not-found', 'There is no such page, or it is not yours.');
}
