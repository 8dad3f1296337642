import * as oidc from 'openid-client';
import type { TokenAnswer } from '../domain/tokens.ts';
import { AppError, failureCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BoundKey } from './bound-key.ts';
import type { Connection } from './connection.ts';
import { errorOfStatus, isInvalidRequest, providerError, scopeMissing } from './provider-error.ts';
import { decodeClaims, isPresentable, notPresentable, readTokens, readTokensIn } from './token-answer.ts';

/** What one authorization request was begun with. Plain JSON; sealed into a cookie and used once. */
export interface AuthorizationTransaction {
  purpose: string;
  state: string;
  nonce: string;
  verifier: string;
  scope: string;
  returnTo: string;
}

export interface AuthorizationRequest {
  purpose: string;
  scope: string;
  returnTo: string;
  prompt?: string;
  /** Further parameters of the request. */
  parameters?: Readonly<Record<string, string>>;
  loginHint?: string;
}

export interface Authorized {
  issuer: string;
  subject: string;
  /** Claims of the access token where it can be decoded, of userinfo and of the ID token, the later ones prevailing. */
  claims: Record<string, unknown>;
  /** Userinfo could not be asked, so that claims may be missing which the provider has of the person. */
  claimsMissing?: true | undefined;
  /** What was granted. */
  scope: string;
  tokens: TokenAnswer;
  /** The key that the tokens are bound to, where they are: private, to be sealed. */
  boundKey: string | undefined;
}

/** Where to send the browser, and what to keep meanwhile. Pushed (RFC 9126) where the provider offers it; PKCE S256. */
export async function beginAuthorization(
  configuration: oidc.Configuration,
  redirectUri: string,
  { purpose, scope, returnTo, prompt, loginHint, parameters: further }: AuthorizationRequest,
): Promise<{ url: URL; transaction: AuthorizationTransaction }> {
  const verifier = oidc.randomPKCECodeVerifier();
  const transaction = { purpose, scope, returnTo, verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
  const parameters = {
    ...further,
    redirect_uri: redirectUri,
    scope,
    state: transaction.state,
    nonce: transaction.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(prompt !== undefined && { prompt }),
    ...(loginHint !== undefined && { login_hint: loginHint }),
  };
  const pushed = configuration.serverMetadata().pushed_authorization_request_endpoint !== undefined;
  const url = pushed ? await push(configuration, parameters) : oidc.buildAuthorizationUrl(configuration, parameters);
  return { url, transaction };
}

type Parameters = Record<string, string> & { scope: string };

/**
 * Keycloak calls every fault of a pushed request `invalid_request`, also a scope that the client may not have. A second
 * push without `offline_access` tells whether that was it.
 */
async function push(configuration: oidc.Configuration, parameters: Parameters): Promise<URL> {
  try {
    return await oidc.buildAuthorizationUrlWithPAR(configuration, parameters);
  } catch (error) {
    const scopes = parameters.scope.split(' ');
    if (!isInvalidRequest(error) || !scopes.includes('offline_access')) throw providerError(error, parameters.scope);
    const scope = scopes.filter((one) => one !== 'offline_access').join(' ');
    await oidc.buildAuthorizationUrlWithPAR(configuration, { ...parameters, scope });
    throw scopeMissing(error);
  }
}

/** What tokens are asked for with. */
export interface Asking {
  log: Log;
  now: Date;
  /** The key that they are to be bound to. */
  boundKey: BoundKey | undefined;
  /** Tokens that are bound to nothing are refused. */
  required: boolean;
  /** Called with tokens that came and are not used, so that they can be revoked. */
  unkept?: Unkept | undefined;
}

export type Unkept = (tokens: Pick<Authorized, 'issuer' | 'subject' | 'tokens'>) => Promise<void>;

/**
 * Trades the code of the callback for tokens: issuer (RFC 9207), state, nonce and PKCE are checked on the way. Throws
 * `consent/foreign-answer` where the callback is no answer of the provider; nothing was sent then, and the right one may still come.
 */
export async function finishAuthorization(
  connection: Connection,
  { redirectUri, callback, transaction }: { redirectUri: string; callback: URL; transaction: AuthorizationTransaction },
  asking: Asking,
): Promise<Authorized> {
  refuseOddAnswer(callback.searchParams);
  const own = new URL(redirectUri);
  own.search = callback.search;
  const checks = {
    expectedState: transaction.state,
    expectedNonce: transaction.nonce,
    pkceCodeVerifier: transaction.verifier,
    idTokenExpected: true,
  };
  return askForTokens(connection, asking, transaction.scope, (configuration) =>
    oidc.authorizationCodeGrant(configuration, own, checks, undefined, proofFor(configuration, asking)),
  ).catch((error: unknown) => {
    throw errorOfStatus(error) ?? providerError(error, transaction.scope);
  });
}

const ofOtherFlows = ['access_token', 'id_token', 'response', 'token'];

/**
 * A parameter comes once (RFC 6749, section 3.1), and none of a flow that was not asked for. A code is of printable characters (appendix
 * A.11), and no longer than any provider takes back.
 */
function refuseOddAnswer(parameters: URLSearchParams): void {
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length || ofOtherFlows.some((name) => parameters.has(name)))
    throw foreign('says something twice, or what was not asked for');
  const code = parameters.get('code') ?? '';
  if (!parameters.get('error') && (!/^[\x20-\x7e]+$/.test(code) || code.length > longestCode))
    throw foreign('has neither a code nor an error, or no code that a provider gives');
}

/** Larger than any known one; servers before a provider often take 8 KB of a form. */
const longestCode = 6_000;

function foreign(what: string): AppError {
  const message = `The answer that your browser came back with ${what}, so nothing was changed. Start again.`;
  return new AppError('consent/foreign-answer', message);
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

/**
 * Asks once for the tokens of somebody who consents or signs in, and reads who it is. Tokens that came and are refused, by
 * the library or by us, are handed to `asking.unkept`; the library alone would drop them alive. Without it they are ended.
 */
export async function askForTokens(
  connection: Connection,
  asking: Asking,
  scope: string,
  ask: (configuration: oidc.Configuration) => Promise<Tokens>,
): Promise<Authorized> {
  const { configuration, metadata } = connection;
  const answers: Response[] = [];
  try {
    const answer = await ask(connection.recording(answers));
    return await readAuthorized(configuration, answer, scope, asking);
  } catch (error) {
    const tokens = await tokensAmong(answers, asking.now);
    if (asking.unkept && tokens)
      await asking.unkept({ issuer: metadata.issuer, subject: tokens.subject ?? '', tokens });
    else if (tokens?.refreshToken !== undefined)
      await oidc.tokenRevocation(configuration, tokens.refreshToken).catch(() => undefined);
    throw error;
  }
}

async function tokensAmong(answers: readonly Response[], now: Date): Promise<TokenAnswer | undefined> {
  const told = answers.map(async (answer) => ({ status: answer.status, text: await answer.text().catch(() => '') }));
  return (await Promise.all(told)).map((answer) => readTokensIn(answer, now)).find((tokens) => tokens !== undefined);
}

/** What binds the tokens of this request to the grant's key (DPoP, RFC 9449); undefined where they are not bound. */
export function proofFor(configuration: oidc.Configuration, { boundKey }: Asking): oidc.DPoPOptions | undefined {
  return boundKey && { DPoP: boundKey.handle(configuration) };
}

/** Who gave consent, and the tokens that came of it, whichever way they were asked for. */
async function readAuthorized(
  configuration: oidc.Configuration,
  answer: Tokens,
  scope: string,
  asking: Asking,
): Promise<Authorized> {
  const { log, now, boundKey, required } = asking;
  const idToken = answer.claims();
  const tokens = readTokens({ ...answer }, now);
  const subject = idToken?.sub ?? tokens?.subject;
  if (tokens === undefined || subject === undefined)
    throw new AppError('provider/unavailable', 'The provider answered without tokens. Try again.');
  if (!isSubject(subject)) throw new AppError('provider/wrong-answer', noSubject);
  if (!isPresentable(tokens)) throw new AppError('provider/wrong-answer', notPresentable);
  if (required && !isBound(tokens)) throw unbound();
  const proof = tokens.bound && proofFor(configuration, asking);
  const ofUserinfo = await fetchClaims(configuration, answer.access_token, subject, { log, proof });
  return {
    issuer: configuration.serverMetadata().issuer,
    subject,
    claims: {
      ...claimsOfAccessToken(answer.access_token, subject),
      ...ofUserinfo,
      ...idToken,
    },
    ...(ofUserinfo === undefined && { claimsMissing: true }),
    // An answer without scope granted what was asked for (RFC 6749, section 5.1).
    scope: tokens.scope ?? scope,
    tokens,
    boundKey: boundKey?.text,
  };
}

/** OpenID Connect Core 1.0, section 2, allows 255 characters of ASCII; here any 1,000 bytes that PostgreSQL can keep. */
const longestSubject = 1_000;

function isSubject(subject: string): boolean {
  const isOne = subject.trim() !== '' && Buffer.byteLength(subject) <= longestSubject;
  return isOne && subject.isWellFormed() && !subject.includes('\0');
}

const noSubject =
  "The provider's name for the person (sub) is blank, has more than 1,000 bytes, or characters that cannot be stored. The operator must look at the provider.";

/** Some providers bind the refresh token alone, for the sake of servers that know bearer tokens only. */
function isBound({ bound, refreshToken }: TokenAnswer): boolean {
  return bound === true || decodeClaims(refreshToken)?.cnf !== undefined;
}

/** Tokens that are bound to nothing are not kept (RFC 9449, section 5). */
function unbound(): AppError {
  return new AppError(
    'provider/refused-client',
    'Tokens must be bound to a key (OIDC_DPOP=required), but the provider gave some that are not. The operator must turn DPoP on for the client of Nightkeep at the provider, or set OIDC_DPOP=auto.',
  );
}

function claimsOfAccessToken(accessToken: string, subject: string): Record<string, unknown> {
  const claims = decodeClaims(accessToken);
  return claims?.sub === subject ? claims : {};
}

/** Many providers tell names and roles at the userinfo endpoint only; undefined where it could not be asked. */
async function fetchClaims(
  configuration: oidc.Configuration,
  accessToken: string,
  subject: string,
  { log, proof }: { log: Log; proof: oidc.DPoPOptions | undefined },
): Promise<Record<string, unknown> | undefined> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return { ...(await oidc.fetchUserInfo(configuration, accessToken, subject, proof)) };
  } catch (error) {
    log.warn('oidc.userinfo.failed', { code: failureCode(error) });
    return undefined;
  }
}
