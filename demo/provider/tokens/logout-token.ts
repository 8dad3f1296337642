import { randomUUID } from 'node:crypto';
import type { SignIn } from '../realm/browser-store.ts';
import type { Keys } from '../realm/keys.ts';
import type { Realm } from '../realm/realm.ts';

/** Gives the status of the client's answer; 0 where the client has no back-channel logout URI or does not answer. */
export type SendLogoutToken = (what: {
  clientId: string;
  subject: string;
  sid?: string;
  /** By default as the client is configured. */
  revokeOffline?: boolean;
}) => Promise<number>;

const lifeSeconds = 120;
const timeLimitMs = 5000;

/**
 * Sends logout tokens (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.5) without a retry, as Keycloak does. With
 * `revoke_offline_access` the client is told to drop its offline tokens too: the provider leaves that to it.
 */
export function openLogoutSender({ realm, keys }: { realm: Realm; keys: Keys }): SendLogoutToken {
  return async ({ clientId, subject, sid, revokeOffline }) => {
    const client = realm.clients.get(clientId);
    if (!client?.backchannelLogoutUri) return 0;
    const iat = Math.floor(realm.now());
    const revokes = revokeOffline ?? client.backchannelLogoutRevokesOffline === true;
    const claims = {
      iss: realm.issuer,
      aud: clientId,
      iat,
      exp: iat + lifeSeconds,
      jti: randomUUID(),
      typ: 'Logout',
      sub: subject,
      ...(sid !== undefined && { sid }),
      events: {
        'http://schemas.openid.net/event/backchannel-logout': {},
        ...(revokes && { revoke_offline_access: true }),
      },
    };
    const body = new URLSearchParams({ logout_token: await keys.sign(claims, 'logout+jwt') });
    const asking = fetch(client.backchannelLogoutUri, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(timeLimitMs),
    });
    return asking.then(
      ({ status }) => status,
      () => 0,
    );
  };
}

/** Tells the clients of sign-ins that these have ended. Gives the number of logout tokens that were accepted. */
export async function notifyClients(sendLogoutToken: SendLogoutToken, signIns: readonly SignIn[]): Promise<number> {
  const sending = signIns.flatMap(({ uid, subject, clientIds }) =>
    clientIds.map((clientId) => sendLogoutToken({ clientId, subject, sid: uid })),
  );
  return (await Promise.all(sending)).filter((status) => status >= 200 && status < 300).length;
}
