import { isAppError } from '../../errors.ts';
import { endSession } from '../../flows/consent/end-session.ts';
import { revokeWithdrawn } from '../../flows/consent/revoke-tokens.ts';
import { letGoOfSignedOut } from '../../flows/snapshots/let-go.ts';
import type { Resources } from '../../resources.ts';
import type { Visit } from '../visit.ts';

const form = 'application/x-www-form-urlencoded';

/** The provider ends a session of its own (OpenID Connect Back-Channel Logout 1.0, sections 2.5 and 2.8). */
export async function backchannelLogout({ c, resources }: Visit): Promise<Response> {
  const refuse = (error: string, description: string) =>
    c.json({ error, error_description: description }, 400, { 'cache-control': 'no-store' });
  if (c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== form)
    return refuse('invalid_request', `The logout token comes in a form: ${form}.`);
  const { logout_token: token } = await c.req.parseBody();
  if (typeof token !== 'string') return refuse('invalid_request', 'The form holds no logout_token, or several.');
  try {
    revokeLater(resources, await endSession(resources, token));
    await letGoOfSignedOut(resources);
    return c.body(null, 200, { 'cache-control': 'no-store' });
  } catch (error) {
    const isForged = isAppError(error, 'logout/invalid-token');
    // Anybody may post here: a forged token is no reason to warn operators.
    resources.log[isForged ? 'info' : 'warn']('session.end-failed', { error });
    if (isForged) return refuse('invalid_request', error.message);
    return refuse('temporarily_unavailable', 'The logout could not be carried out. Send it again.');
  }
}

/** Not awaited, since the provider may hold locks of its own until it has its answer. A worker repeats what fails here. */
function revokeLater(resources: Resources, grantIds: readonly string[]): void {
  for (const grantId of grantIds)
    revokeWithdrawn(resources, { grantId }).catch((error: unknown) =>
      resources.log.warn('grant.revoke.failed', { error }),
    );
}
