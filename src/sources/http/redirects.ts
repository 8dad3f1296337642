import { AppError } from '../../errors.ts';
import type { Ask, DavOptions, Send } from './question.ts';
import type { Answer } from './request.ts';
import { errorOfStatus, textOf } from './status.ts';

const mostRedirects = 5;

/**
 * Follows redirects of the same origin (RFC 9110, section 15.4; only 301, 302, 307 and 308 keep the question as it is) and makes errors of
 * all that is not 2xx. Throws `source/refused-redirect` for another host, scheme or port.
 */
export function followingRedirects({ origin }: DavOptions, send: Send): Ask {
  return async (question, signal) => {
    let path = question.path;
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const got = await send(question, path, signal);
      const { status } = got.answer;
      if (status >= 200 && status < 300) return got;
      if (![301, 302, 307, 308].includes(status)) throw errorOfStatus(status);
      path = redirectTarget(got.answer, origin, path);
    }
    throw new AppError('source/malformed', 'The server sends us from one address to the next without end.');
  };
}

function redirectTarget({ headers, status }: Answer, origin: string, path: string): string {
  const target = URL.parse(textOf(headers.location) ?? '', origin + path);
  if (target === null || headers.location === undefined) throw errorOfStatus(status);
  if (target.origin !== origin) {
    throw new AppError(
      'source/refused-redirect',
      `The server points to ${target.origin}; the access token is not sent there. ` +
        'If the files have moved, set the new address as the source URL.',
      { detail: { from: origin, to: target.origin } },
    );
  }
  return target.pathname + target.search;
}
