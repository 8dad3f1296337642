import { isAppError } from '../../errors.ts';
import type { Visit } from '../visit.ts';

const form = 'application/x-www-form-urlencoded';

/** The provider ends a session of its own (OpenID Connect Back-Channel Logout 1.0, sections 2.5 and 2.8). */
export async function backchannelLogout({ c, house }: Visit): Promise<Response> {
  const refuse = (error: string, description: string) =>
    c.json({ error, error_description: description }, 400, { 'cache-control': 'no-store' });
  if (c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== form)
    return refuse('invalid_request', `The logout token comes in a form: ${form}.`);
  const { logout_token: token } = await c.req.parseBody();
  if (typeof token !== 'string') return refuse('invalid_request', 'The form holds no logout_token, or several.');
  try {
    await house.endSession(token);
    return c.body(null, 200, { 'cache-control': 'no-store' });
  } catch (error) {
    house.log.warn('session.end-failed', { error });
    if (isAppError(error, 'logout/invalid-token')) return refuse('invalid_request', error.message);
    return refuse('temporarily_unavailable', 'The logout could not be carried out. Send it again.');
  }
}
