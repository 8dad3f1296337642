import { AppError } from '../../errors.ts';
import type { DavOptions, Send, SendTo } from './dav-request.ts';
import type { ResponseHead } from './request.ts';
import { errorOfStatus, textOf } from './status.ts';

const mostRedirects = 5;

/**
 * Follows redirects within the origin (RFC 9110, section 15.4; only 301, 302, 307 and 308 keep the request as it is) and throws
 * for every other status that is not 2xx. Throws `source/refused-redirect` for another host, scheme or port.
 */
export function followingRedirects({ origin }: DavOptions, sendTo: SendTo): Send {
  return async (request, signal) => {
    let path = request.path;
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await sendTo(request, path, signal);
      const { status } = response.head;
      if (status >= 200 && status < 300) return response;
      if (![301, 302, 307, 308].includes(status)) throw errorOfStatus(status);
      path = redirectTarget(response.head, origin, path);
    }
    throw new AppError('source/malformed', 'The server redirects without end.');
  };
}

function redirectTarget({ headers, status }: ResponseHead, origin: string, path: string): string {
  const target = URL.parse(textOf(headers.location) ?? '', origin + path);
  if (target === null || headers.location === undefined) throw errorOfStatus(status);
  if (target.origin !== origin) {
    throw new AppError(
      'source/refused-redirect',
      `The server redirects to ${target.origin}; the access token is not sent there. ` +
        'If the files have moved, set the new address as the source URL.',
      { detail: { from: origin, to: target.origin } },
    );
  }
  return target.pathname + target.search;
}
