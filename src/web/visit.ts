import type { Context } from 'hono';
import { AppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import type { Session } from './cookies.ts';
import { type Html, layout } from './layout.ts';

/** One request, and what is open to answer it with. */
export interface Visit {
  readonly c: Context;
  readonly url: URL;
  readonly resources: Resources;
  readonly session: Session | undefined;
}

/** A visit of somebody who is signed in. Whatever belongs to a person is asked for with the id in the session. */
export type PersonVisit = Visit & { readonly session: Session };

/** Answers with a page. */
export async function page(
  { c, session }: Visit,
  title: string,
  body: Html,
  { place, status = 200 }: { place?: string; status?: 200 | 400 | 403 | 404 | 500 | 503 } = {},
): Promise<Response> {
  return c.html(await layout({ title, session, body, ...(place !== undefined && { place }) }), status);
}

export function notFound(): AppError {
  return new AppError('request/not-found', 'There is no such page, or it is not yours.');
}
