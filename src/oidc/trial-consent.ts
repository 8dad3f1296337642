import { type Clock, within } from '../clock.ts';
import { minuteMs } from '../durations.ts';
import { type AppError, isAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AuthorizationRequest } from './authorization.ts';
import { errorOfPage, errorOfWord } from './provider-error.ts';
import { fetchThrough, type ProviderHosts } from './provider-hosts.ts';
import { ask, type Send } from './question.ts';

/** Longer the page does not wait; what comes later is known when it is next shown. */
const waitMs = 2_000;
const knownForMs = minuteMs;

/** Errors that only say that nobody is signed in or has agreed yet (OpenID Connect Core 1.0, section 3.1.2.6). */
const wantsAPerson = /^(login|interaction|consent|account_selection)_required$/;

/** Sign-in without a password (RFC 4559) begins with the one; with the other the provider only wants to be asked less often. */
const noRefusals = [401, 429];

const asBrowsers =
  (hosts: ProviderHosts): Send =>
  (url, signal) =>
    fetchThrough(hosts, url, { headers: { accept: 'text/html' }, signal });

interface Trial {
  clock: Clock;
  log: Log;
  redirectUri: string;
  hosts: ProviderHosts;
  begin: (request: AuthorizationRequest) => Promise<{ url: URL }>;
}

/**
 * Finds out whether the provider would refuse a request for consent before it asks anybody: begins one, and opens its address as a browser
 * without a person would. An error page is such a refusal too: it is all that a provider may show where it does not know the client or its
 * redirect address (RFC 6749, section 4.1.2.1). The provider is asked at most once a minute; what is found is logged. Undefined where
 * nothing is in the way, or where that does not show soon.
 */
export function openTrialConsent({ clock, log, redirectUri, hosts, begin }: Trial) {
  let known: { refusal: Promise<AppError | undefined>; askedAt: number } | undefined;
  const find = async (request: AuthorizationRequest): Promise<AppError | undefined> => {
    const refusal = await begin(request).then(
      ({ url }) => refusalAt(url, request.scope),
      (error: unknown) => (isAppError(error) ? error : undefined),
    );
    if (refusal !== undefined) log.error('consent.cannot-work', { error: refusal });
    return refusal;
  };
  const refusalAt = async (url: URL, scope: string): Promise<AppError | undefined> => {
    const { status = 0, location } = await ask(clock, url, asBrowsers(hosts));
    if (location === undefined && status >= 400 && !noRefusals.includes(status)) return errorOfPage(status);
    if (location === undefined || location.origin + location.pathname !== redirectUri) return undefined;
    const error = location.searchParams.get('error');
    return error === null || wantsAPerson.test(error) ? undefined : errorOfWord(error, scope);
  };
  return async (request: AuthorizationRequest): Promise<AppError | undefined> => {
    const now = clock.now().getTime();
    if (known === undefined || Math.abs(now - known.askedAt) >= knownForMs)
      known = { refusal: find(request), askedAt: now };
    const { refusal } = known;
    return within(clock, waitMs, () => refusal).catch(() => undefined);
  };
}
