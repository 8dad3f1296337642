import type { ServerMetadata } from 'openid-client';

/** How a token can be ended at the provider. */
export interface TokenEnding {
  /** Whether Nightkeep can do it (RFC 7009). */
  revocation: boolean;
  /** Where the person can, as far as it is known. */
  page?: string | undefined;
}

/** Pages on which people end what applications may do, at providers without a revocation endpoint. */
const pages: Readonly<Record<string, string>> = {
  'https://login.microsoftonline.com': 'https://myapps.microsoft.com/',
};

/** What the provider publishes, and what is known of it besides. */
export function tokenEndingAt({ issuer, revocation_endpoint: endpoint }: ServerMetadata): TokenEnding {
  return { revocation: endpoint !== undefined, page: pages[URL.parse(issuer)?.origin ?? ''] };
}
