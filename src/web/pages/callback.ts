import { getPerson } from '../../database/views.ts';
import { AppError } from '../../errors.ts';
import { type ConsentTransaction, finishConsent, finishSignIn } from '../../flows/consent/give-consent.ts';
import { requestRun } from '../../flows/nights/request-run.ts';
import type { AuthorizationTransaction } from '../../oidc/authorization.ts';
import { startSession, takePending } from '../cookies.ts';
import { localPath } from '../security.ts';
import type { Visit } from '../visit.ts';

/** The provider's answer, to whichever leg this browser had begun. */
export async function callback(visit: Visit): Promise<Response> {
  const { c, resources, session, url } = visit;
  const pending = takePending(c, resources);
  const { publicUrl } = resources.config;
  const answered = new URL(url.pathname + url.search, publicUrl);
  if (pending?.leg === 'sign-in') await signIn(visit, answered, pending.transaction);
  else if (pending !== undefined && pending.userId === session?.userId) await takeConsent(visit, answered, pending);
  else
    throw new AppError(
      'consent/invalid-callback',
      'This answer of the provider does not belong to anything begun in this browser in the last ten minutes.',
    );
  return c.redirect(localPath(pending.transaction.returnTo, publicUrl), 303);
}

async function signIn({ c, resources }: Visit, answered: URL, transaction: AuthorizationTransaction): Promise<void> {
  const { user, roles, sid } = await finishSignIn(resources, { callback: answered, transaction });
  const { id: userId, issuer, subject } = user;
  const name = user.name ?? user.username ?? subject;
  startSession(c, resources, { userId, name, roles, provider: { issuer, subject, sid } });
  resources.log.info('sign-in', { userId });
}

/** Takes the offline token into custody and asks for the first run. */
async function takeConsent(
  { resources }: Visit,
  answered: URL,
  { userId, transaction }: { userId: string; transaction: ConsentTransaction },
): Promise<void> {
  const { subject } = await getPerson(resources.database, { userId });
  const { plan } = await finishConsent(resources, {
    callback: answered,
    transaction,
    subject,
  });
  await requestRun(resources, { planId: plan.id, trigger: 'consent' });
}
