import type { RefusalRule } from '../refusal-meaning.ts';

/** How long something lasts at a provider that is set up as it comes, and which of its settings says so. */
export interface Span {
  readonly seconds: number;
  /** Where an administrator of the provider changes it. */
  readonly setting: string;
}

/** A shorter end that a particular set-up brings. Answers show it (`refresh_token_expires_in`), nothing else does. */
export interface Trap extends Span {
  readonly cause: string;
}

/**
 * What a make of provider does that the standards leave open. Read from its source or documentation; what is not known is
 * absent, and code then goes by settings and answers alone. docs/providers.md shows all of them, with their sources.
 */
export interface ProviderProfile {
  /** For people. */
  readonly title: string;
  /** How offline access is asked for: a scope (OpenID Connect Core 1.0, section 11), or parameters of the authorization request. */
  readonly offlineAccess: { readonly scope: string } | { readonly parameters: Readonly<Record<string, string>> };
  /** Whether an exchange brings a new refresh token (RFC 9700, section 4.14.2): always, by a setting there or now and then, or never. */
  readonly rotation?: 'always' | 'sometimes' | 'never';
  /**
   * What becomes of a token that is sent again after its answer was lost. free: it is accepted as before. counted: it is accepted as
   * often as a setting says, at any time. A grace: it is accepted for this long after it was used, and the answer has the same new token
   * or yet another; 0: it is not accepted, and sending it may end the grant.
   */
  readonly reuse?: 'free' | 'counted' | { readonly graceSeconds: number; readonly returns: 'same' | 'new' };
  /** How long a token lives unused. */
  readonly idle?: Span;
  /** How long a grant lives from consent whatever is done: no exchange moves it. */
  readonly maximum?: Span;
  readonly traps?: readonly Trap[];
  /** An answer without a new refresh token leaves the end of the old one where it was. */
  readonly keptTokenKeepsItsEnd?: true;
  /** Whether introspection (RFC 7662) tells the truth of refresh tokens; it is tried out at consent where this is absent. */
  readonly introspection?: 'true' | 'untrue';
  /** A new consent ends the refresh token of the one before: there is one for each person and client. */
  readonly oneGrantPerClient?: true;
  /** An exchange ends the access tokens that were issued before. */
  readonly endsAccessTokens?: true;
  /** How the grant is ended: by RFC 7009, or only there, on the page where the person can do it if there is one. */
  readonly ending: 'rfc7009' | { readonly page?: string };
  /** What its refusals mean where that is more than RFC 6749 says. The first rule that fits decides, before the general ones. */
  readonly refusals: readonly RefusalRule[];
  /** Whether a provider is of this make, by its issuer and what it publishes. Absent: only the setting OIDC_PROFILE says so. */
  readonly recognise?: (published: Published) => boolean;
}

/** What a provider publishes that tells makes apart (OpenID Connect Discovery 1.0, section 3). */
export interface Published {
  readonly issuer: URL;
  /** Paths and hosts of the endpoints; absent until the provider was discovered. */
  readonly endpoints?: Readonly<Partial<Record<EndpointName, URL>>>;
  /** Further members of its metadata. */
  readonly members?: ReadonlySet<string>;
}

export type EndpointName = 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri' | 'device_authorization_endpoint';
