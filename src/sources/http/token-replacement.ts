import { minuteMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { AccessToken } from '../source.ts';
import type { DavOptions, SendTo, SendWithToken } from './dav-request.ts';
import { followingRedirects } from './redirects.ts';

/** A token that expires while a request is on its way would be refused for no good reason. */
const minimumSeconds = 30;

/** Tokens of other exchanges that one request tries; more of them within one request are no coincidence. */
const mostNewer = 3;

/**
 * This many refused tokens in a row are replaced, and after that one a minute: otherwise a server that refuses every token would make Nightkeep ask
 * the provider once per file.
 */
const replacementsAtOnce = 10;
const replacementEveryMs = minuteMs;

/**
 * Sends with an access token, and replaces a token that is refused. Servers also answer 401 for what belongs to somebody else, so a refused
 * token is replaced once. If the new one is refused as well, the root decides: if it accepts the token, only this one thing is forbidden;
 * if not, the run is over. While the root accepts it, a token that replaced a refused one is not replaced again for the next forbidden
 * thing.
 *
 * At some providers an exchange ends the earlier access tokens: where another exchange came meanwhile, its token is tried before a refusal
 * counts. A server that refuses token after token accepts none: the run is over.
 */
export function withToken(options: DavOptions, send: SendWithToken): SendTo {
  const { access, rootPath } = options;
  let replacement: string | undefined;
  let allowed = { at: options.clock.elapsed(), count: replacementsAtOnce };
  const takeReplacement = () => {
    const at = options.clock.elapsed();
    const count = Math.min(replacementsAtOnce, allowed.count + (at - allowed.at) / replacementEveryMs);
    allowed = { at, count: count < 1 ? count : count - 1 };
    return count >= 1;
  };
  const rootAccepts = async (token: AccessToken, signal: AbortSignal) => {
    const sendProbe = followingRedirects(options, (request, path) => send(request, path, token, signal));
    try {
      await sendProbe({ ...rootProbe, path: rootPath }, signal);
      return true;
    } catch (error) {
      if (isAppError(error, 'source/forbidden') || isAppError(error, 'source/not-found')) return true;
      if (isAppError(error, 'source/unauthorized')) return false;
      throw error;
    }
  };
  return async (request, path, signal) => {
    let token = await access({ minimumSeconds, signal });
    let newer = 0;
    for (let replaced = false; ; replaced = true) {
      const response = await send(request, path, token, signal);
      if (response.head.status !== 401) return response;
      if (replaced && newer < mostNewer) {
        const newest = await access({ minimumSeconds, signal });
        if (newest.token !== token.token) {
          token = newest;
          newer += 1;
          continue;
        }
      }
      const isFresh = replaced || token.token === replacement;
      if (isFresh && request.path !== rootPath && (await rootAccepts(token, signal))) throw forbidden();
      if (replaced || !takeReplacement()) throw unauthorized(token);
      token = await access({ minimumSeconds, refused: token.token, signal });
      replacement = token.token;
    }
  };
}

const rootProbe = { method: 'PROPFIND', headers: ['depth', '0'], receive: () => undefined } as const;

function forbidden(): AppError {
  return new AppError('source/forbidden', 'The server does not let this be read. (HTTP 401)', {
    detail: { status: 401 },
  });
}

function unauthorized({ prove }: AccessToken): AppError {
  const bound =
    ' The token is bound to a key (DPoP): if the server does not support such tokens, the operator must set OIDC_DPOP=off, and people consent again.';
  return new AppError(
    'source/unauthorized',
    `The server refuses the access token even when it is fresh. It must accept tokens of this provider for this person.${prove ? bound : ''}`,
  );
}
