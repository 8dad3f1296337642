import { beginSignIn } from '../../flows/consent/give-consent.ts';
import { letGoOf } from '../../flows/snapshots/let-go.ts';
import { rememberPending } from '../cookies.ts';
import { localPath } from '../security.ts';
import { endSession } from '../session.ts';
import type { PersonVisit, Visit } from '../visit.ts';

/** Sends the browser to the provider to sign in; with `fresh=yes` also whoever is signed in there. */
export async function login({ c, resources, url }: Visit): Promise<Response> {
  const returnTo = localPath(url.searchParams.get('returnTo') ?? undefined, resources.config.publicUrl);
  const fresh = url.searchParams.get('fresh') === 'yes';
  const { url: target, transaction } = await beginSignIn(resources, { returnTo, fresh });
  rememberPending(c, resources, { leg: 'sign-in', transaction });
  return c.redirect(target.href, 302);
}

/** Ends the web session only; consent and nights go on. */
export async function logout({ c, resources, session }: PersonVisit): Promise<Response> {
  letGoOf(resources, session.userId);
  await endSession(c, resources, session);
  return c.redirect('/', 303);
}
