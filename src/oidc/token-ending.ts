import type { ServerMetadata } from 'openid-client';
import type { ProviderProfile } from '../domain/providers/profile.ts';

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
