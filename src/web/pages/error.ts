import { html } from 'hono/html';
import { type ErrorCode, isAppError, messageForPeople } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Html } from '../layout.ts';
import { localPath } from '../security.ts';
import { page, type Visit } from '../visit.ts';

type Status = 400 | 403 | 404 | 500 | 503;

interface Told {
  readonly status: Status;
  readonly title: string;
  /** What happened, where the message of the error is not meant for the person. */
  readonly happened?: string;
  readonly act?: string;
  /** What the person can do from here: agree, the same again, or go home. */
  readonly way: 'consent' | 'again' | 'home';
}

const notFound = { status: 404, title: 'Not found', way: 'home' } as const satisfies Told;

const away = {
  status: 503,
  title: 'Not available right now',
  happened: 'A part of Nightkeep does not answer.',
  act: 'Try again in some minutes. If it stays so, tell the operator of Nightkeep.',
  way: 'again',
} as const satisfies Told;

/** What people read of an error, by its code. */
export const errorWords = {
  'request/invalid': { status: 400, title: 'That could not be understood', way: 'again' },
  'request/forbidden': { status: 403, title: 'Not allowed', way: 'again' },
  'request/not-found': notFound,
  'repository/not-found': notFound,
  'repository/no-such-snapshot': notFound,
  'repository/no-such-path': notFound,
  'consent/invalid-callback': { status: 400, title: 'Please start again', way: 'again' },
  'consent/denied': {
    status: 400,
    title: 'You did not agree',
    happened: 'You or your provider said no, so nothing was changed.',
    act: 'You can agree whenever you like.',
    way: 'consent',
  },
  'consent/not-offline': {
    status: 400,
    title: 'Your provider does not allow it yet',
    happened: 'You signed in, but your provider does not let Nightkeep work while you are away.',
    act: 'An administrator of your provider can allow it: your account and Nightkeep both need the permission offline_access there. Then agree again.',
    way: 'consent',
  },
  'provider/refused': { status: 400, title: 'Your provider refused', way: 'again' },
  'provider/refused-client': {
    status: 500,
    title: 'Your provider does not accept Nightkeep',
    happened: 'Your provider refused Nightkeep itself; that is not about you.',
    act: 'The operator of Nightkeep can correct its settings at the provider: the log says what is wrong.',
    way: 'again',
  },
  'provider/wrong-answer': {
    status: 500,
    title: 'The answer of your provider cannot be taken',
    act: 'Nothing was changed. Show this to the operator of Nightkeep, who can mend it.',
    way: 'again',
  },
  'source/missing-claim': {
    status: 500,
    title: 'It is not ready for you yet',
    act: 'So no backup could work, and nothing was agreed. Show this to the operator of Nightkeep, who can mend it.',
    way: 'again',
  },
  'grant/not-usable': { status: 400, title: 'Your consent has ended', way: 'consent' },
  'grant/wrong-subject': { status: 400, title: 'That was somebody else', way: 'consent' },
  'provider/unavailable': {
    status: 503,
    title: 'Your provider has trouble',
    happened: 'Your provider does not answer right now, or says that it has trouble of its own. Nothing was changed.',
    act: 'Try again in some minutes.',
    way: 'again',
  },
  'database/unavailable': away,
  'queue/unavailable': away,
  'store/unavailable': away,
} as const satisfies Partial<Record<ErrorCode, Told>>;

const byCode: Partial<Record<ErrorCode, Told>> = errorWords;
const unexpected: Told = { status: 500, title: 'That did not work', way: 'again' };

const labels = {
  agree: 'Back to the consent page',
  signIn: 'Sign in again',
  again: 'Try again',
  back: 'Go back',
  home: 'To the home page',
} as const;

type FailedVisit = Pick<Visit, 'c' | 'session' | 'texts' | 'url'> & {
  readonly resources: Pick<Resources, 'config' | 'log'>;
};

/** What went wrong, for people, and the way on; all of it goes to the log. */
export async function failure(visit: FailedVisit, error: unknown): Promise<Response> {
  const told = (isAppError(error) ? byCode[error.code] : undefined) ?? unexpected;
  const { status, title, happened = messageForPeople(error), act } = told;
  const { log } = visit.resources;
  (status >= 500 ? log.error : log.info)('web.failed', { path: withoutNames(visit.url.pathname), status, error });
  const body = html`<div class="card bad"><p class="lead">${happened}</p>${act === undefined ? '' : html`<p>${act}</p>`}${button(wayOn(visit, told))}</div>
${told.way === 'home' ? '' : html`<p><a href="/">${labels.home}</a></p>`}`;
  return page(visit, title, body, { status });
}

/** The path without the names of a person's files, which are nobody else's business. */
function withoutNames(pathname: string): string {
  return pathname.replace(/^(\/snapshots\/[^/]*\/[^/]*\/).*$/s, '$1…');
}

type Way = [href: string, label: string];

function button([href, label]: Way): Html {
  return html`<p><a class="button" href="${href}">${label}</a></p>`;
}

function wayOn(visit: FailedVisit, { way }: Told): Way {
  if (way === 'home') return ['/', labels.home];
  return way === 'consent' ? toConsent(visit) : again(visit);
}

function toConsent({ session }: FailedVisit): Way {
  return session === undefined ? ['/login', labels.signIn] : ['/consent', labels.agree];
}

/** The same page; where a form was sent, the page that has it; where the provider sent the browser back, the step before. */
function again(visit: FailedVisit): Way {
  const { pathname, search } = visit.url;
  if (pathname === '/callback') return toConsent(visit);
  if (visit.c.req.method === 'GET')
    return [localPath(pathname + search, visit.resources.config.publicUrl), labels.again];
  const [, first = ''] = pathname.split('/');
  return [['consent', 'grant', 'recovery'].includes(first) ? `/${first}` : '/', labels.back];
}
