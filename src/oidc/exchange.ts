import * as oidc from 'openid-client';
import type { Clock } from '../clock.ts';
import type { TokenAnswer } from '../domain/tokens.ts';
import type { ExchangeAnswer } from '../domain/verdict.ts';
import { failureCode } from '../errors.ts';
import type { BoundKey } from './bound-key.ts';
import type { Connection } from './connection.ts';
import { objectionTo } from './objection.ts';
import { tidyAnswer } from './tidy-answer.ts';
import { isPresentable, notPresentable, readFailure, readTokensIn } from './token-answer.ts';
import { type Attempt, attempt, type Reaching, responseOf } from './transport.ts';

interface Exchange {
  refreshToken: string;
  /** The key that the token is bound to, where it is. */
  openKey: () => Promise<BoundKey> | undefined;
  reaching: Reaching;
  clock: Clock;
}

/**
 * Sends the token once. The request is made again only where it used nothing up: the client was refused and has another
 * secret, or the provider wants its nonce in the proof (RFC 9449, section 8). The library sends and validates in one call, so
 * the fetch of this exchange holds an answer with tokens back until `validate` is called. The caller saves the tokens first.
 */
export async function exchangeOnce(connect: () => Promise<Connection>, exchange: Exchange): Promise<ExchangeAnswer> {
  const { clock, reaching } = exchange;
  const attempts: Attempt[] = [];
  const arrived = Promise.withResolvers<TokenAnswer>();
  const validation = Promise.withResolvers<void>();
  const record: oidc.CustomFetch = async (...request) => {
    const made = await attempt(reaching, ...request);
    attempts.push(made);
    return responseOf('answer' in made ? { answer: tidyAnswer(made.answer) } : made);
  };
  const holdingBack = ({ authenticated, metadata }: Connection): oidc.CustomFetch => {
    const send = authenticated(record);
    const pairwise = [metadata.subject_types_supported].flat().includes('pairwise');
    return async (...request) => {
      const response = await send(...request);
      const tokens = tokensIn(attempts.at(-1), clock.now(), { pairwise });
      if (tokens !== undefined) {
        arrived.resolve(tokens);
        await validation.promise;
      }
      return response;
    };
  };
  const fault = refresh(connect, exchange, holdingBack);
  const tokens = await Promise.race([arrived.promise, fault.then(() => undefined)]);
  if (tokens === undefined) return readFailure(attempts.at(-1), (await fault)?.code, clock.now());
  const own = isPresentable(tokens) ? undefined : { code: 'access-token-not-presentable', detail: notPresentable };
  const validate = async () => {
    validation.resolve();
    return ((await fault) ?? own)?.code;
  };
  const explain = async () => ((await fault) ?? own)?.detail;
  return { kind: 'answered', status: 200, tokens, validate, explain };
}

/** What the library objects to, or failed with; nothing where all went well. */
async function refresh(
  connect: () => Promise<Connection>,
  { refreshToken, openKey }: Exchange,
  sendWith: (connection: Connection) => oidc.CustomFetch,
): Promise<{ code: string; detail: string | undefined } | undefined> {
  try {
    const connection = await connect();
    const configuration = connection.exchanging(sendWith(connection));
    const boundKey = await openKey();
    const options = boundKey && { DPoP: boundKey.handle(configuration) };
    await oidc.refreshTokenGrant(configuration, refreshToken, undefined, options);
    return undefined;
  } catch (error) {
    return { code: failureCode(error), detail: objectionTo(error) };
  }
}

function tokensIn(made: Attempt | undefined, now: Date, told: { pairwise: boolean }): TokenAnswer | undefined {
  return made && 'answer' in made ? readTokensIn(made.answer, now, told) : undefined;
}
