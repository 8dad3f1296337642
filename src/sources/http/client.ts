import type { Ask, DavOptions } from './question.ts';
import { followingRedirects } from './redirects.ts';
import { withPatience } from './retry.ts';
import { withToken } from './token-replacement.ts';

/** A client for one person on one DAV server; see `Ask` for what it promises. */
export function davClient(options: DavOptions): Ask {
  return followingRedirects(options, withToken(options, withPatience(options)));
}
