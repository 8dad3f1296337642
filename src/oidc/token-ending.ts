import type { ServerMetadata } from 'openid-client';
import type { ProviderProfile } from '../domain/providers/profile.ts';
import { isAppError } from '../errors.ts';

/** How a token can be ended at the provider. */
export interface TokenEnding {
  /** Whether Nightkeep can do it (RFC 7009). */
  revocation: boolean;
  /** Where the person can, as far as it is known. */
  page?: string | undefined;
}

/** What the provider publishes, and what is known of its make besides. */
export function tokenEndingAt(
  { revocation_endpoint: endpoint }: Pick<ServerMetadata, 'revocation_endpoint'>,
  { ending }: Pick<ProviderProfile, 'ending'>,
): TokenEnding {
  return { revocation: endpoint !== undefined, page: ending === 'rfc7009' ? undefined : ending.page };
}

/** Whether ending a token failed since the provider offers no way to do so: it has no revocation endpoint, or that takes no such tokens (RFC 7009, section 2.2.1). */
export function cannotBeEnded(error: unknown): boolean {
  return isAppError(error) && impossible.includes(error.detail.error);
}

const impossible: readonly unknown[] = ['OAUTH_MISSING_SERVER_METADATA', 'unsupported_token_type'];
