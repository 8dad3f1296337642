import { HouseError, isHouseError } from '../errors.ts';
import type { DavOptions, Send, SendWithToken } from './question.ts';
import { followingRedirects } from './redirects.ts';
import type { AccessToken } from './source.ts';

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
      if (isHouseError(error, 'source/forbidden') || isHouseError(error, 'source/not-found')) return true;
      if (isHouseError(error, 'source/unauthorized')) return false;
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

function forbidden(): HouseError {
  return new HouseError('source/forbidden', 'The server does not let this be read. (HTTP 401)', {
    detail: { status: 401 },
  });
}

function unauthorized({ prove }: AccessToken): HouseError {
  const bound =
    ' The token is bound to a key (DPoP): if the server takes no such tokens, the operator must set OIDC_DPOP=off, and people consent again.';
  return new HouseError(
    'source/unauthorized',
    `The server refuses the access token even when it is fresh. It must accept tokens of this provider for this person.${prove ? bound : ''}`,
  );
}
