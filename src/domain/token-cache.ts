/** An access token as the token cache holds it. */
export interface CachedToken {
  token: string;
  /** By our own clock: `expires_in` after the request was sent. */
  endsAt: Date;
  /** The proof that goes with each request where the token is bound to a key (RFC 9449, section 7). */
  prove?: (request: { method: string; url: string; nonce?: string | undefined }) => Promise<string>;
}

/** The access tokens of a process, by grant: in memory only, and nowhere else. */
export interface TokenCache {
  readonly known: Map<string, CachedToken>;
  /** Exchanges under way: one serves all who wait for it. */
  readonly running: Map<string, Promise<CachedToken>>;
  /** Fingerprints of offline tokens that this process has had replaced, the last ones of each grant: none is ever sent again. */
  readonly usedUp: Map<string, readonly string[]>;
}

/** An empty cache. */
export function openTokenCache(): TokenCache {
  return { known: new Map(), running: new Map(), usedUp: new Map() };
}
