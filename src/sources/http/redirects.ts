import { AppError } from '../../errors.ts';
import type { DavOptions, DavRequest, Send, SendTo } from './dav-request.ts';
import { type HttpResponse, type ResponseHead, TransportError } from './request.ts';
import { errorOfStatus, isTransient, textOf } from './status.ts';

const mostRedirects = 5;
/** A link to another host is asked for again each time, since it may be valid only briefly. */
const mostAttemptsElsewhere = 3;

/** A path on the same server, or the address of a file on another host. */
type Place = string | URL;

/**
 * Follows redirects (RFC 9110, section 15.4; only 301, 302, 307 and 308 keep the request as it is) and throws for every other
 * status that is not 2xx. What a GET is sent to another host for is fetched there without the token, where that is allowed; from
 * then on no request of this chain carries it. Throws `source/refused-redirect` for any other host, scheme or port.
 */
export function followingRedirects(options: DavOptions, sendTo: SendTo): Send {
  const { origin, elsewhere, clock } = options;

  async function follow<T>(request: DavRequest<T>, signal: AbortSignal): Promise<HttpResponse<T>> {
    let place: Place = request.path;
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response: HttpResponse<T> =
        typeof place === 'string'
          ? await sendTo(request, place, signal)
          : await sendElsewhere(options, request, place, signal);
      const { status } = response.head;
      if (status >= 200 && status < 300) return response;
      if (![301, 302, 307, 308].includes(status)) throw errorOfStatus(status);
      place = redirectTarget(response.head, place, {
        origin,
        elsewhere: request.method === 'GET' ? elsewhere : undefined,
      });
    }
    throw new AppError('source/malformed', 'The server redirects endlessly.');
  }

  return async (request, signal) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await follow(request, signal);
      } catch (error) {
        if (!(error instanceof Outage)) throw error;
        if (attempt >= mostAttemptsElsewhere) throw outage(error);
        await clock.sleep(500 * 2 ** attempt, signal);
      }
    }
  };
}

/** Another host did not answer, or with a status that may pass. */
class Outage extends Error {}

async function sendElsewhere<T>(
  { elsewhere }: DavOptions,
  request: DavRequest<T>,
  url: URL,
  signal: AbortSignal,
): Promise<HttpResponse<T>> {
  if (elsewhere === undefined) throw new Error('Nothing else is to be asked.');
  try {
    const response = await elsewhere.send(request, url, signal);
    const { status } = response.head;
    if (isTransient(status)) throw new Outage(`${url.host} cannot serve it at present. (HTTP ${status})`);
    // Not our token is refused there, since there was none: the run goes on.
    if (status === 401) throw errorOfStatus(403);
    return response;
  } catch (error) {
    throw error instanceof TransportError ? new Outage(`${url.host} does not answer.`, { cause: error }) : error;
  }
}

function outage(error: Outage): AppError {
  const message = `The server redirects to another host: ${error.message}`;
  return new AppError('source/unavailable', message, { cause: error, retry: { afterMs: 0 } });
}

function redirectTarget(
  { headers, status }: ResponseHead,
  from: Place,
  { origin, elsewhere }: Pick<DavOptions, 'origin' | 'elsewhere'>,
): Place {
  const base = typeof from === 'string' ? origin + from : from.href;
  const target = URL.parse(textOf(headers.location) ?? '', base);
  if (target === null || headers.location === undefined) throw errorOfStatus(status);
  if (typeof from === 'string' && target.origin === origin) return target.pathname + target.search;
  if (elsewhere?.allows(target)) return target;
  const why =
    elsewhere === undefined
      ? 'the access token is not sent there. If the data has moved, set the new address as the source URL.'
      : 'only https addresses on the internet and in FILES_REDIRECT_NETWORKS are followed, without the access token. If the data has moved, set the new address as the source URL.';
  throw new AppError('source/refused-redirect', `The server redirects to ${target.origin}; ${why}`, {
    detail: { from: origin, to: target.origin },
  });
}
