import { setCookie } from 'hono/cookie';
import { saveAudit } from '../../../database/audit.ts';
import { AppError } from '../../../errors.ts';
import { boardToken, openQueueBoard, queueBoardPath } from '../../queue-board.ts';
import { formToken, queueBoardPolicy } from '../../security.ts';
import { notFound, type PersonVisit } from '../../visit.ts';
import { operatorOf } from './frame.ts';

/**
 * Bull Board: its page, its files and its answers. Nothing can be changed with it unless QUEUE_BOARD is `writable`; what is changed
 * then goes into the audit.
 */
export async function queueBoard(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, url } = visit;
  const { publicUrl, queueBoard: mode } = resources.config;
  if (mode === 'off') throw notFound();
  const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
  if (changes && mode !== 'writable') throw new AppError('request/forbidden', visit.texts.operator.queues.readOnly);
  const board = await openQueueBoard(resources.queues, { readOnly: mode !== 'writable' });
  if (changes) {
    const about = `${c.req.method} ${url.pathname.slice(queueBoardPath.length)}`.slice(0, 500);
    await saveAudit(resources.database, {
      at: resources.clock.now(),
      by: operatorOf(visit),
      act: 'queue-changed',
      about,
    });
  }
  const answer = await board.fetch(c.req.raw);
  if (answer.headers.get('content-type')?.startsWith('text/html') !== true) return answer;
  const secure = publicUrl.protocol === 'https:';
  if (mode === 'writable')
    setCookie(c, boardToken.cookie, formToken(session.csrf), { path: queueBoardPath, sameSite: 'Strict', secure });
  c.header('content-security-policy', queueBoardPolicy);
  return c.html(ownOnly(await answer.text()));
}

/** The page without what it would fetch from elsewhere. */
function ownOnly(page: string): string {
  return page.replace(/<link href="https:[^>]*>/g, '');
}
