import { html } from 'hono/html';
import { type ErrorCode, isAppError, messageForPeople } from '../../errors.ts';
import { cures, texts } from '../texts.ts';
import { page, type Visit } from '../visit.ts';

type Status = 400 | 403 | 404 | 500 | 503;

const statuses: Partial<Record<ErrorCode, Status>> = {
  'request/invalid': 400,
  'request/forbidden': 403,
  'request/not-found': 404,
  'repository/not-found': 404,
  'repository/no-such-snapshot': 404,
  'repository/no-such-path': 404,
  'consent/invalid-callback': 400,
  'consent/denied': 400,
  'consent/not-offline': 400,
  'provider/refused': 400,
  'grant/not-usable': 400,
  'grant/wrong-subject': 400,
  'provider/unavailable': 503,
  'database/unavailable': 503,
  'queue/unavailable': 503,
  'store/unavailable': 503,
};

/** What went wrong, for people; all of it goes to the log. */
export async function failure(visit: Visit, error: unknown): Promise<Response> {
  const code = isAppError(error) ? error.code : undefined;
  const status = (code && statuses[code]) ?? 500;
  const { log } = visit.resources;
  (status >= 500 ? log.error : log.info)('web.failed', { path: visit.url.pathname, status, error });
  const cure = code === undefined ? undefined : cures[code];
  const body = html`<div class="card bad"><p class="lead">${messageForPeople(error)}</p>${cure ? html`<p>${cure}</p>` : ''}</div>
<p><a class="button" href="/">${texts.errors.home}</a></p>`;
  return page(visit, texts.errors.titles[status] ?? texts.errors.title, body, { status });
}
