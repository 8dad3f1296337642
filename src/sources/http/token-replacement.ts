import { AppError, isAppError } from '../../errors.ts';
import type { AccessToken } from '../source.ts';
import type { DavOptions, Send, SendWithToken } from './question.ts';
import { followingRedirects } from './redirects.ts';

/** A token that ends while a request is on its way would be refused for no good reason. */
const minimumSeconds = 30;

/**
 * Servers answer 401 for what is somebody else's, too. So a refused token is replaced once; if the new one is refused as well,
 * the root decides: it takes the token, then only this thing is forbidden; or it does not, then the run is over.
 * A token that came of a refusal is not replaced again for the next forbidden thing while the root takes it.
 */
export function withToken(options: DavOptions, send: SendWithToken): Send {
  const { access, rootPath } = options;
  let replacement: string | undefined;
  const rootTakes = async (token: AccessToken, signal: AbortSignal) => {
    const ask = followingRedirects(options, (question, path) => send(question, path, token, signal));
    try {
      await ask({ ...rootProbe, path: rootPath }, signal);
      return true;
    } catch (error) {
      if (isAppError(error, 'source/forbidden') || isAppError(error, 'source/not-found')) return true;
      if (isAppError(error, 'source/unauthorized')) return false;
      throw error;
    }
  };
  return async (question, path, signal) => {
    let token = await access({ minimumSeconds, signal });
    for (let replaced = false; ; replaced = true) {
      const got = await send(question, path, token, signal);
      if (got.answer.status !== 401) return got;
      const isFresh = replaced || token.token === replacement;
      if (isFresh && question.path !== rootPath && (await rootTakes(token, signal))) throw forbidden();
      if (replaced) throw unauthorized(token);
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
    ' The token is bound to a key (DPoP): if the server takes no such tokens, the operator must set OIDC_DPOP=off, and people consent again.';
  return new AppError(
    'source/unauthorized',
    `The server refuses the access token even when it is fresh. It must accept tokens of this provider for this person.${prove ? bound : ''}`,
  );
}
