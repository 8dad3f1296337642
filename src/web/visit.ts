import type { Context } from 'hono';
import { AppError } from '../errors.ts';
import type { Session } from './cookies.ts';
import type { House } from './house.ts';
import { type Html, layout } from './layout.ts';

/** One request, with all that a page needs to answer it. */
export interface Visit {
  readonly c: Context;
  readonly url: URL;
  readonly house: House;
  readonly session: Session | undefined;
}

/** A visit of somebody who is signed in. */
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

/** What follows `/snapshots/:id/<kind>` in the address, decoded name by name. Throws `request/invalid`. */
export function restOfPath(url: URL, kind: string): string {
  const [, rest = ''] = url.pathname.split(new RegExp(`^/snapshots/[^/]+/${kind}`));
  try {
    return rest.split('/').filter(Boolean).map(decodeURIComponent).join('/');
  } catch (cause) {
    throw new AppError('request/invalid', 'The address is not spelled right.', { cause });
  }
}

/** A path inside a snapshot as part of an address. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
