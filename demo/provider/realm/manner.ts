/** What this provider does otherwise than Keycloak, as other makes do. Nothing of it is set in a realm that behaves as Keycloak. */
export interface Manner {
  /**
   * What becomes of refresh tokens when they are used. kept: nothing, and no answer has another one. free: each answer has a new one,
   * and the old ones go on working. single: each is good for one use; used again within the grace it is answered with the same new token
   * or yet another, and after it the whole family ends.
   */
  readonly refreshTokens?: 'kept' | 'free' | { readonly graceSeconds: number; readonly returns: 'same' | 'new' };
  /** Refresh tokens cannot be read by clients. */
  readonly opaque?: true;
  /** The answer to a dead token: status and body; an empty text is no body. */
  readonly deadToken?: readonly [status: number, body: Readonly<Record<string, unknown>> | ''];
  /** The answer to a client that does not prove itself. */
  readonly refusedClient?: readonly [status: number, body: Readonly<Record<string, unknown>> | ''];
  /** A refresh ends the access tokens of the same session that were issued before. */
  readonly endsAccessTokens?: true;
  /** A new offline login ends the other offline sessions of the person at this client. */
  readonly oneGrantPerClient?: true;
  /** Offline tokens go on working that it issued under another name of its own. */
  readonly takesFormerName?: true;
  /** Members of a token answer that are written otherwise; null leaves a member out. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Endpoints that it does not have. */
  readonly without?: readonly ('revocation' | 'introspection' | 'pushed requests')[];
}
