import * as oidc from 'openid-client';
import type { Clock } from '../clock.ts';
import { daySeconds } from '../durations.ts';
import { AppError } from '../errors.ts';
import { escapedName, unseen } from '../file-name.ts';
import { type Asking, type Authorized, askForTokens, proofFor } from './authorization.ts';
import type { Connection } from './connection.ts';
import { type EnrollMethod, enrollError } from './enroll-error.ts';
import { oauthErrorOf } from './provider-error.ts';

/** The ways to consent without a page of Nightkeep. They throw `enroll/…`, `consent/…`, or `provider/…` if the provider is at fault. */
export interface Enrollment {
  /** Begins a device authorization (RFC 8628). */
  device(scope: string): Promise<DeviceLogin>;
  /** The direct access grant (RFC 6749, section 4.3). The password is in the one request and nowhere else. */
  password(who: { username: string; password: string }, scope: string): Promise<Authorized>;
  /** The service account of the client itself (RFC 6749, section 4.4). */
  service(scope: string): Promise<Authorized>;
}

/** What the person does on another device meanwhile. */
export interface DeviceLogin {
  userCode: string;
  verificationUri: string;
  /** The same with the code in it, where the provider offers that. */
  verificationUriComplete: string | undefined;
  expiresAt: Date;
  /** Asks until the person said yes or no there, or the code has expired; ends with the signal's reason. */
  finish(signal?: AbortSignal): Promise<Authorized>;
}

interface Options {
  clock: Clock;
  asking: (connection: Connection) => Promise<Asking>;
}

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8628, section 3.5. */
const usualIntervalSeconds = 5;
const slowerByMs = 5_000;
/** Beyond these, what a provider says makes neither a date nor a pause. */
const longestLifeSeconds = daySeconds;
const shortestIntervalSeconds = 1;

/** Consent without a browser at Nightkeep. Connects for each request anew; what the provider refuses is thrown with words for that way of consenting (`enroll/…`, `consent/not-offline`), anything else as elsewhere. */
export function openEnrollment(connect: () => Promise<Connection>, options: Options): Enrollment {
  const explained = async <T>(method: EnrollMethod, work: (connection: Connection) => Promise<T>): Promise<T> => {
    try {
      return await work(await connect());
    } catch (error) {
      throw enrollError(method, error);
    }
  };
  const grant = (method: EnrollMethod, type: string, parameters: Record<string, string>) =>
    explained(method, (connection) => ask(connection, options, type, parameters));
  return {
    device: (scope) => explained('device', (connection) => beginDevice(connection, options, scope)),
    password: (who, scope) => grant('password', 'password', { ...who, scope }),
    service: (scope) => grant('service', 'client_credentials', { scope }),
  };
}

async function ask(
  connection: Connection,
  { asking }: Options,
  grantType: string,
  { scope = '', ...parameters }: Record<string, string>,
): Promise<Authorized> {
  const about = await asking(connection);
  const form = grantType === deviceGrant ? parameters : { ...parameters, scope };
  return askForTokens(connection, about, scope, (configuration) =>
    oidc.genericGrantRequest(configuration, grantType, form, proofFor(configuration, about)),
  );
}

async function beginDevice(connection: Connection, options: Options, scope: string): Promise<DeviceLogin> {
  const { clock } = options;
  // RFC 8628 knows no PKCE, but Keycloak wants it here too of a client that must use it elsewhere.
  const code_verifier = oidc.randomPKCECodeVerifier();
  const code_challenge = await oidc.calculatePKCECodeChallenge(code_verifier);
  const pkce = { code_challenge, code_challenge_method: 'S256' };
  const begun = await oidc.initiateDeviceAuthorization(connection.configuration, { scope, ...pkce });
  requireTypable(begun, connection.metadata.issuer);
  const lifeMs = Math.min(begun.expires_in, longestLifeSeconds) * 1000;
  const until = clock.elapsed() + lifeMs;
  const everyMs = Math.max(begun.interval ?? usualIntervalSeconds, shortestIntervalSeconds) * 1000;
  const askOnce = () => ask(connection, options, deviceGrant, { device_code: begun.device_code, code_verifier, scope });
  return {
    userCode: begun.user_code,
    verificationUri: begun.verification_uri,
    verificationUriComplete: begun.verification_uri_complete,
    expiresAt: new Date(clock.now().getTime() + lifeMs),
    finish: (signal) => awaitDevice(clock, askOnce, { until, everyMs, signal }),
  };
}

const longestCode = 64;
const longestAddress = 2_000;

/** People are asked to open the address and type the code: it must be a web address, and both must look as they are. */
function requireTypable(
  {
    user_code: code,
    ...addresses
  }: Pick<oidc.DeviceAuthorizationResponse, 'user_code' | 'verification_uri' | 'verification_uri_complete'>,
  issuer: string,
): void {
  const isSeen = (text: string) => escapedName(text) === text && text.search(unseen) < 0;
  const schemes = ['https:', new URL(issuer).protocol];
  const isAddress = (text: string) =>
    text.length <= longestAddress && isSeen(text) && schemes.includes(URL.parse(text)?.protocol ?? '');
  const { verification_uri: address, verification_uri_complete: whole = address } = addresses;
  if (code.length <= longestCode && isSeen(code) && isAddress(address) && isAddress(whole)) return;
  throw new AppError(
    'provider/wrong-answer',
    'The provider gave a code that nobody can type, or an address for it that browsers cannot open. The operator must look at the provider.',
  );
}

/** What each refusal makes of the pause until the next question: what is not here ends the questions. */
const pauses: Record<string, (ms: number) => number> = {
  authorization_pending: (ms) => ms,
  slow_down: (ms) => ms + slowerByMs,
  // The provider does not answer: less and less often, as RFC 8628 asks.
  'no answer': (ms) => ms * 2,
};

async function awaitDevice(
  clock: Clock,
  askOnce: () => Promise<Authorized>,
  { until, everyMs, signal }: { until: number; everyMs: number; signal: AbortSignal | undefined },
): Promise<Authorized> {
  for (let pause = everyMs; ; ) {
    await clock.sleep(Math.min(pause, Math.max(0, until - clock.elapsed())), signal);
    if (clock.elapsed() >= until) throw enrollError('device', undefined);
    try {
      return await askOnce();
    } catch (error) {
      const next = pauses[wordOf(error)];
      if (next === undefined) throw enrollError('device', error);
      pause = next(pause);
    }
  }
}

function wordOf(error: unknown): string {
  return oauthErrorOf(error) ?? (enrollError('device', error).code === 'provider/unavailable' ? 'no answer' : '');
}
