import { saveAudit } from '../../database/audit.ts';
import { findGrantOfPerson } from '../../database/consent/grant-views.ts';
import { findFormerIssuer } from '../../database/consent/provider-moves.ts';
import { getPerson } from '../../database/nights/views.ts';
import { AppError, isAppError } from '../../errors.ts';
import { unpackAgreement } from '../../flows/consent/agreement.ts';
import { finishConsent, finishSignIn } from '../../flows/consent/give-consent.ts';
import { requestRun } from '../../flows/nights/request-run.ts';
import type { AuthorizationTransaction } from '../../oidc/authorization.ts';
import { wordIn } from '../../oidc/tidy-answer.ts';
import type { Resources } from '../../resources.ts';
import { type CarriedConsent, findPending, forgetPending, type Pending } from '../cookies.ts';
import { localPath } from '../security.ts';
import { type Signed, startSession } from '../session.ts';
import type { Visit } from '../visit.ts';
import { homePageSaying } from './home.ts';
import { takeRestoreAccess } from './restore.ts';

/** The provider's answer, to whichever leg this browser had begun with that state. */
export async function callback(visit: Visit): Promise<Response> {
  const { c, resources, session, url } = visit;
  // Hono answers HEAD by what answers GET, which would take the answer (RFC 9110, section 9.3.2).
  if (c.req.method === 'HEAD') return c.body(null);
  const state = url.searchParams.get('state') ?? '';
  if (state === '') throw withoutState(url.searchParams);
  const pending = findPending(c, resources, state);
  // The back button, or a reload: what this answer belongs to was finished, or has grown old.
  if (pending === undefined && session !== undefined) return c.redirect(homePageSaying('old-answer'), 303);
  if (pending === undefined) throw notBegun();
  try {
    const target = await take(visit, pending);
    forgetPending(c, pending.transaction.state);
    return c.redirect(target, 303);
  } catch (error) {
    // Anybody can write an address: the right answer may still come.
    if (!isAppError(error, 'consent/foreign-answer')) forgetPending(c, pending.transaction.state);
    throw error;
  }
}

/** What an answer is read from; a form may have more, which must not get into addresses. */
const answerNames: readonly string[] = ['code', 'error', 'iss', 'state'];

/**
 * An answer that the provider has the browser post (OAuth 2.0 Form Post Response Mode), though the usual mode was asked for: the browser is led to the same answer
 * in the address. A form from elsewhere comes without the cookies of what was begun; the address that it leads to gets them.
 */
export async function postedCallback({ c }: Visit): Promise<Response> {
  const sent = new URLSearchParams(await c.req.text());
  const answer = new URLSearchParams([...sent].filter(([name]) => answerNames.includes(name)));
  if (answer.toString().length > longestAnswer) throw unreadable('is longer than any that a provider gives');
  return c.redirect(`/callback?${answer}`, 303);
}

/** As it may stand in a header. */
const longestAnswer = 7_000;

/** Takes the answer to what was begun, and says where to go on. */
async function take(visit: Visit, pending: Pending): Promise<string> {
  const { resources, session, url } = visit;
  const { publicUrl } = resources.config;
  const answered = new URL(url.pathname + url.search, publicUrl);
  const returnTo = localPath(pending.transaction.returnTo, publicUrl);
  if (pending.leg === 'sign-in') {
    const { userId, operator } = await signIn(visit, answered, pending.transaction);
    return returnTo === '/' && operator ? homeOfOperator(resources, userId) : returnTo;
  }
  if (pending.userId !== session?.userId) throw signedOutMeanwhile();
  if (pending.leg === 'restore') await takeRestoreAccess(visit, answered, pending);
  else await takeConsent(visit, answered, pending);
  return returnTo;
}

/** Who runs the service, and has agreed to nothing for themselves, came to look at the night. */
async function homeOfOperator({ database }: Pick<Resources, 'database'>, userId: string): Promise<string> {
  return (await findGrantOfPerson(database, { userId })) === null ? '/operator' : '/';
}

async function signIn(
  { c, resources, session }: Visit,
  answered: URL,
  transaction: AuthorizationTransaction,
): Promise<Signed> {
  const { user, roles, sid, authenticatedAt } = await finishSignIn(resources, { callback: answered, transaction });
  const { id: userId, issuer } = user;
  const operator = roles.includes(resources.config.operatorRole);
  const signed = { userId, operator, sid, authenticatedAt };
  await startSession(c, resources, signed, session);
  resources.log.info('sign-in', { userId, ...(operator && { operator }) });
  if (operator)
    await saveAudit(resources.database, {
      at: resources.clock.now(),
      by: `operator:${userId}`,
      act: 'operator-signed-in',
    });
  const former = await findFormerIssuer(resources.database, { userId });
  if (former !== null) resources.log.warn('sign-in.former-issuer', { userId, issuer, former });
  return signed;
}

/** Nothing tells what it belongs to. Anybody can write an address, so that nobody is blamed for what it says. */
function withoutState(parameters: URLSearchParams): AppError {
  const error = wordIn(parameters.get('error'));
  if (error !== undefined) return unreadable(`is ${error}, and does not say what it belongs to (state)`);
  if (parameters.has('code')) return unreadable('does not say what it belongs to (state)');
  const mode = 'who must set the response mode of the client at the provider to query';
  return parameters.has('response')
    ? unreadable('is packed into one parameter (response), which Nightkeep does not read', mode)
    : unreadable('is empty, or stands behind a # where Nightkeep cannot see it', mode);
}

function unreadable(how: string, cure?: string): AppError {
  return new AppError(
    'consent/invalid-callback',
    `The answer that your browser came back with ${how}. Nothing was changed. Start again; if it happens again, show this to the operator${cure === undefined ? '' : `, ${cure}`}.`,
  );
}

function notBegun(): AppError {
  return new AppError(
    'consent/invalid-callback',
    'This answer of the provider does not belong to anything begun in this browser in the last ten minutes.',
  );
}

function signedOutMeanwhile(): AppError {
  return new AppError(
    'consent/invalid-callback',
    'You are no longer signed in here as the person who began this, so nothing was saved. Sign in, then agree again.',
  );
}

/** Takes the offline token into custody and asks for the first run. */
async function takeConsent(
  { resources }: Visit,
  answered: URL,
  { userId, transaction }: { userId: string; transaction: CarriedConsent },
): Promise<void> {
  const terms = unpackAgreement(transaction.terms);
  const { subject } = await getPerson(resources.database, { userId });
  const { plan } = await finishConsent(resources, {
    callback: answered,
    transaction: { ...transaction, terms },
    subject,
  });
  await requestRun(resources, { planId: plan.id, trigger: 'consent' });
}
