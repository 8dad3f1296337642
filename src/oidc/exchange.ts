import * as oidc from 'openid-client';
import type { BoundKey } from './bound-key.ts';
import type { Connection } from './connection.ts';
import { type Attempt, attempting, failureCode } from './transport.ts';

/**
 * Sends the token once; the code of what went wrong, if anything did. What came back is in `attempt`. The request is
 * made again only where it used nothing up: the client was refused and has another secret, or the provider wants its nonce in
 * the proof (RFC 9449, section 8).
 */
export async function exchangeOnce(
  connect: () => Promise<Connection>,
  refreshToken: string,
  openKey: () => Promise<BoundKey> | undefined,
  attempt: Attempt,
): Promise<string | undefined> {
  try {
    const { configuration, exchanging } = await connect();
    const boundKey = await openKey();
    const options = boundKey && { DPoP: boundKey.handle(configuration) };
    await attempting(attempt, () => oidc.refreshTokenGrant(exchanging, refreshToken, undefined, options));
    return undefined;
  } catch (error) {
    return failureCode(error);
  }
}
