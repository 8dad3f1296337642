import { decodeJwt } from 'jose';
import type { Clock } from '../../../src/clock.ts';
import type { ChooseFault, Fault, OddPart } from '../faults/faults.ts';
import { corrupt, inject, send, type TokenReply } from '../faults/inject.ts';
import { type Context, type Middleware, readForm } from '../http.ts';
import type { RequestLog } from '../log/request-log.ts';
import type { ClientRow } from '../realm/client.ts';
import type { Keys } from '../realm/keys.ts';
import type { Manner } from '../realm/manner.ts';
import type { Realm } from '../realm/realm.ts';
import type { AuthenticateClient } from './client-authentication.ts';
import type { ProvenRequest } from './dpop.ts';
import type { Grant } from './grants.ts';
import type { OfflineAccess } from './offline-access.ts';
import { invalidGrant, Refusal } from './refusal.ts';
import { type TokenBody, type TokenGrant, tokenResponse } from './token-response.ts';

export interface TokenEndpointParts {
  readonly realm: Realm;
  readonly keys: Keys;
  readonly offline: OfflineAccess;
  /** The clock of delayed answers. */
  readonly clock: Clock;
  readonly requestLog: RequestLog;
  readonly authenticate: AuthenticateClient;
  readonly checkProof: (request: ProvenRequest) => Promise<string>;
  readonly chooseFault: ChooseFault;
  /** By `grant_type`. */
  readonly grants: ReadonlyMap<string, Grant>;
}

interface TokenRequest {
  readonly number: number;
  readonly form: URLSearchParams;
  readonly context: Context;
  readonly fault: Fault | undefined;
}

/** The token endpoint. Every request is logged, and gets the fault that was chosen for it. */
export function tokenEndpoint(parts: TokenEndpointParts): Middleware {
  return async (context, next) => {
    if (context.path !== '/token' || context.method !== 'POST') return next();
    const request = open(parts, await readForm(context.req), context);
    let whole = false;
    const end = () => parts.requestLog.end(request.number, whole && context.res.writableFinished);
    if (context.res.destroyed) end();
    else context.res.once('close', end);
    const reply = await answer(parts, request);
    whole = reply.whole;
    parts.requestLog.note(request.number, outcomeOf(reply));
    send(context, reply);
  };
}

function open(
  { requestLog, offline, chooseFault }: TokenEndpointParts,
  form: URLSearchParams,
  context: Context,
): TokenRequest {
  const grantType = form.get('grant_type') ?? '';
  const presented = form.get('refresh_token') ?? undefined;
  const number = requestLog.begin(grantType, presented);
  const { sid, clientId } = offline.find(presented ?? '') ?? {};
  const fault = chooseFault({ number, grantType, sid, clientId });
  if (fault) requestLog.note(number, { fault: fault.kind });
  return { number, form, context, fault };
}

async function answer(parts: TokenEndpointParts, request: TokenRequest): Promise<TokenReply> {
  const { fault } = request;
  const before = await inject(fault, 'before', parts.clock);
  if (before) return before;
  if (fault?.kind === 'rollover') await parts.keys.roll();
  const { manner } = parts.realm.settings();
  const reply = await grantTokens(parts, request).catch((refusal) => refusalReply(refusal, manner));
  return (await inject(fault, 'after', parts.clock)) ?? corrupt(fault, reply);
}

async function grantTokens(
  parts: TokenEndpointParts,
  { number, form, context, fault }: TokenRequest,
): Promise<TokenReply> {
  if (!parts.realm.settings().enabled) throw new Refusal(403, 'access_denied', 'Realm not enabled');
  rejectDuplicates(form);
  const client = await parts.authenticate(context.get('authorization'), form);
  if (fault?.kind === 'invalid_grant') throw invalidGrant('Session not active');
  const jkt = await proveKey(parts, client, context);
  const grant = parts.grants.get(form.get('grant_type') ?? '');
  if (!grant) throw new Refusal(400, 'unsupported_grant_type', 'Unsupported grant_type');
  const keepToken = fault?.kind === 'odd' && fault.part === 'no refresh_token';
  const granted = await grant({ form, client, jkt, keepToken });
  parts.requestLog.commit(number, granted.offline?.token);
  const idTokenClaims = fault?.kind === 'odd' ? oddClaims(fault.part, parts.realm.now()) : undefined;
  const answer = await tokenResponse(parts, { ...granted, idTokenClaims });
  const { manner } = parts.realm.settings();
  const refreshed = form.get('grant_type') === 'refresh_token' && manner.refreshTokens === 'kept';
  const body = otherwise(answer, { ...manner.answer, ...(refreshed && { refresh_token: null }) });
  noteAccessToken(parts, granted, answer.access_token);
  const tokens = [body.access_token, body.refresh_token, body.id_token].filter((token) => typeof token === 'string');
  parts.requestLog.note(number, { tokens });
  return { status: 200, body, whole: true };
}

/** The answer with these members in place of its own. */
function otherwise(answer: TokenBody, members: Readonly<Record<string, unknown>>): TokenBody {
  return Object.fromEntries(Object.entries({ ...answer, ...members }).filter(([, value]) => value !== null));
}

/** Where an exchange ends the access tokens before it, userinfo takes the newest one only. */
function noteAccessToken({ offline, realm }: TokenEndpointParts, { sid, client }: TokenGrant, token: unknown): void {
  const session = offline.sessions.find(sid);
  const own = session?.clients[client.id];
  if (!realm.settings().manner.endsAccessTokens || session === undefined || own === undefined) return;
  own.accessToken = String(decodeJwt(String(token)).jti);
  offline.sessions.keep(session);
}

function rejectDuplicates(form: URLSearchParams): void {
  if (new Set(form.keys()).size !== form.size) throw new Refusal(400, 'invalid_request', 'duplicated parameter');
}

async function proveKey({ realm, checkProof }: TokenEndpointParts, client: ClientRow, context: Context) {
  const proof = context.get('dpop');
  if (proof) return checkProof({ proof, method: 'POST', url: `${realm.issuer}/token` });
  if (client.dpopRequired) throw new Refusal(400, 'invalid_request', 'DPoP proof is missing');
  return undefined;
}

function refusalReply(refusal: unknown, { deadToken, refusedClient }: Manner): TokenReply {
  if (!(refusal instanceof Refusal)) throw refusal;
  const { status, error, message, headers } = refusal;
  const otherwise =
    error === 'invalid_grant' ? deadToken : /^(invalid|unauthorized)_client$/.test(error) ? refusedClient : undefined;
  if (otherwise) return { status: otherwise[0], body: otherwise[1], whole: true };
  return { status, body: { error, error_description: message }, headers, whole: true };
}

function oddClaims(part: OddPart, now: number): Record<string, unknown> {
  if (part === 'id_token iss') return { iss: 'https://somebody.else.example' };
  return part === 'id_token iat' ? { iat: Math.floor(now) - 3600, exp: Math.floor(now) - 3000 } : {};
}

function outcomeOf({ status, body }: TokenReply) {
  const error = typeof body === 'object' && typeof body.error === 'string' ? body.error : undefined;
  return { status, ...(error !== undefined && { error }) };
}
