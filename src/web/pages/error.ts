import { html } from 'hono/html';
import { type ErrorCode, isAppError, messageForPeople } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Html } from '../layout.ts';
import { routes } from '../routes.ts';
import { localPath } from '../security.ts';
import type { Texts, Told } from '../texts/en.ts';
import { page, type Visit } from '../visit.ts';

type Status = 400 | 403 | 404 | 405 | 415 | 429 | 500 | 503;

interface Kind {
  readonly status: Status;
  /** What the person can do from here: agree, the same again, or go home. */
  readonly way: 'consent' | 'again' | 'home';
}

const lost = { status: 404, way: 'home' } as const;
const away = { status: 503, way: 'again' } as const;

/** How each error is answered, by its code; the words are in the texts. */
const kinds = {
  'request/invalid': { status: 400, way: 'again' },
  'request/wrong-method': { status: 405, way: 'home' },
  'request/wrong-type': { status: 415, way: 'again' },
  'request/forbidden': { status: 403, way: 'again' },
  'request/operators-only': { status: 403, way: 'home' },
  'request/too-many': { status: 429, way: 'again' },
  'request/not-found': lost,
  'repository/not-found': lost,
  'repository/not-usable': { status: 500, way: 'home' },
  'repository/no-such-snapshot': lost,
  'repository/no-such-path': lost,
  'repository/damaged': { status: 500, way: 'home' },
  'consent/invalid-callback': { status: 400, way: 'again' },
  'consent/foreign-answer': { status: 400, way: 'again' },
  'consent/denied': { status: 400, way: 'consent' },
  'consent/not-offline': { status: 400, way: 'consent' },
  'provider/refused': { status: 400, way: 'again' },
  'provider/refused-client': { status: 500, way: 'again' },
  'provider/wrong-answer': { status: 500, way: 'again' },
  'source/missing-claim': { status: 500, way: 'again' },
  'grant/not-usable': { status: 400, way: 'consent' },
  'grant/wrong-subject': { status: 400, way: 'consent' },
  'provider/unavailable': away,
  'database/unavailable': away,
  'queue/unavailable': away,
  'queue/damaged': away,
  'store/unavailable': away,
  'store/full': away,
} as const satisfies Partial<Record<ErrorCode, Kind>> & Record<keyof Texts['errors']['told'], Kind>;

const unexpected: Kind = { status: 500, way: 'again' };

function isKnown(code: string): code is keyof typeof kinds {
  return Object.hasOwn(kinds, code);
}

type FailedVisit = Pick<Visit, 'c' | 'session' | 'texts' | 'url'> & {
  readonly resources: Pick<Resources, 'config' | 'log'>;
};

/** What went wrong, for people, and the way on; all of it goes to the log. */
export async function failure(visit: FailedVisit, error: unknown): Promise<Response> {
  const { errors: t } = visit.texts;
  const code = isAppError(error) && isKnown(error.code) ? error.code : undefined;
  const kind = code === undefined ? unexpected : kinds[code];
  const told: Told = code === undefined ? t.unexpected : t.told[code];
  const message = messageForPeople(error);
  const waitMs = isAppError(error, 'request/too-many') ? error.retry?.afterMs : undefined;
  const { title, happened = message, exactly, act = waitMs === undefined ? undefined : waited(visit, waitMs) } = told;
  const { status } = kind;
  const { log } = visit.resources;
  const who = visit.session && { userId: visit.session.userId };
  const asked = { method: visit.c.req.method, path: withoutNames(visit.url.pathname) };
  (status >= 500 ? log.error : log.info)('web.failed', { ...asked, ...who, status, error });
  const body = html`<div class="card bad"><p class="lead">${happened}</p>${exactly ? html`<p class="soft" lang="en">${message}</p>` : ''}${act === undefined ? '' : html`<p>${act}</p>`}${button(wayOn(visit, kind))}</div>
${kind.way === 'home' ? '' : html`<p><a href="/">${t.home}</a></p>`}`;
  return page(visit, title, body, { status });
}

/** Says in a header and in words when the same may be asked for again. */
function waited({ c, texts }: FailedVisit, ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  c.header('retry-after', String(seconds));
  return texts.errors.wait(texts.formats.duration(seconds * 1000));
}

/** The path without the names of a person's files, which are nobody else's business. */
function withoutNames(pathname: string): string {
  return pathname.replace(/^(\/snapshots\/[^/]*\/[^/]*\/).*$/s, '$1…');
}

type Way = [href: string, label: string];

function button([href, label]: Way): Html {
  return html`<p><a class="button" href="${href}">${label}</a></p>`;
}

function wayOn(visit: FailedVisit, { way }: Kind): Way {
  if (way === 'home') return ['/', visit.texts.errors.home];
  return way === 'consent' ? toConsent(visit) : again(visit);
}

function toConsent({ session, texts: { errors: t } }: FailedVisit): Way {
  return session === undefined ? ['/login', t.signIn] : ['/consent', t.agree];
}

/** The same page; where a form was sent, the page that has it; where the provider sent the browser back, the step before. */
function again(visit: FailedVisit): Way {
  const { pathname, search } = visit.url;
  if (pathname === '/callback') return toConsent(visit);
  if (visit.c.req.method === 'GET')
    return [localPath(pathname + search, visit.resources.config.publicUrl), visit.texts.errors.again];
  return [localPath(pageAbove(pathname), visit.resources.config.publicUrl), visit.texts.errors.back];
}

/** The address itself where it has a page, or else the next one above it that has. */
function pageAbove(pathname: string): string {
  const isPage = (path: string) => routes.some((route) => route.method === 'GET' && shapeOf(route.path).test(path));
  let path = pathname;
  while (path !== '' && !isPage(path)) path = path.slice(0, path.lastIndexOf('/'));
  return path === '' ? '/' : path;
}

function shapeOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/:[a-z]+/g, '[^/]+').replace('*', '.*')}$`);
}
