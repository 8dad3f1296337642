import type { DavOptions, Send } from './dav-request.ts';
import { followingRedirects } from './redirects.ts';
import { withRetries } from './retry.ts';
import { withToken } from './token-replacement.ts';

/** A client for one person on one DAV server; see `Send` for what it promises. */
export function davClient(options: DavOptions): Send {
  return followingRedirects(options, withToken(options, withRetries(options)));
}
