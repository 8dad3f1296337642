import type { Clock } from '../../../src/clock.ts';
import type { ChooseFault, Fault, OddPart } from '../faults/faults.ts';
import { send, spoil, strike, type TokenReply } from '../faults/inject.ts';
import type { Clerk } from '../log/request-log.ts';
import { type Context, type Middleware, readForm } from '../pages/forms.ts';
import type { ClientRow } from '../realm/client.ts';
import type { Keys } from '../realm/keys.ts';
import type { Realm } from '../realm/realm.ts';
import type { AuthenticateClient } from './authenticate.ts';
import type { ProvenRequest } from './dpop.ts';
import type { Grant } from './grants.ts';
import type { OfflineAccess } from './offline.ts';
import { refreshGrant } from './refresh.ts';
import { invalidGrant, Refusal } from './refusal.ts';
import { tokenAnswer } from './token-answer.ts';

export interface TokenDesk {
  readonly realm: Realm;
  readonly keys: Keys;
  readonly offline: OfflineAccess;
  /** What slow answers sleep by. */
  readonly clock: Clock;
  readonly clerk: Clerk;
  readonly authenticate: AuthenticateClient;
  readonly checkProof: (request: ProvenRequest) => Promise<string>;
  readonly chooseFault: ChooseFault;
  /** By `grant_type`; the refresh grant is the desk's own. */
  readonly grants: ReadonlyMap<string, Grant>;
}

interface TokenRequest {
  readonly number: number;
  readonly form: URLSearchParams;
  readonly context: Context;
  readonly fault: Fault | undefined;
}

/** The token endpoint. Every request is written down, and meets the fault that was chosen for it. */
export function tokenEndpoint(desk: TokenDesk): Middleware {
  return async (context, next) => {
    if (context.path !== '/token' || context.method !== 'POST') return next();
    const request = open(desk, await readForm(context.req), context);
    let whole = false;
    const end = () => desk.clerk.end(request.number, whole && context.res.writableFinished);
    if (context.res.destroyed) end();
    else context.res.once('close', end);
    const reply = await answer(desk, request);
    whole = reply.whole;
    desk.clerk.note(request.number, outcomeOf(reply));
    send(context, reply);
  };
}

function open({ clerk, offline, chooseFault }: TokenDesk, form: URLSearchParams, context: Context): TokenRequest {
  const grantType = form.get('grant_type') ?? '';
  const presented = form.get('refresh_token') ?? undefined;
  const number = clerk.begin(grantType, presented);
  const { sid, clientId } = offline.find(presented ?? '') ?? {};
  const fault = chooseFault({ number, grantType, sid, clientId });
  if (fault) clerk.note(number, { fault: fault.kind });
  return { number, form, context, fault };
}

async function answer(desk: TokenDesk, request: TokenRequest): Promise<TokenReply> {
  const { fault } = request;
  const before = await strike(fault, 'before', desk.clock);
  if (before) return before;
  if (fault?.kind === 'rollover') await desk.keys.roll();
  const reply = await grantTokens(desk, request).catch(refusalReply);
  return (await strike(fault, 'after', desk.clock)) ?? spoil(fault, reply);
}

async function grantTokens(desk: TokenDesk, { number, form, context, fault }: TokenRequest): Promise<TokenReply> {
  if (!desk.realm.settings().enabled) throw new Refusal(403, 'access_denied', 'Realm not enabled');
  rejectDuplicates(form);
  const client = await desk.authenticate(context.get('authorization'), form);
  if (fault?.kind === 'invalid_grant') throw invalidGrant('Session not active');
  const jkt = await proveKey(desk, client, context);
  const keeping = fault?.kind === 'odd' && fault.part === 'no refresh_token';
  const grantType = form.get('grant_type') ?? '';
  const grant = grantType === 'refresh_token' ? refreshGrant(desk, keeping) : desk.grants.get(grantType);
  if (!grant) throw new Refusal(400, 'unsupported_grant_type', 'Unsupported grant_type');
  const granted = await grant({ form, client, jkt });
  desk.clerk.commit(number, granted.offline?.token);
  const idTokenClaims = fault?.kind === 'odd' ? oddClaims(fault.part, desk.realm.now()) : undefined;
  const body = await tokenAnswer(desk, { ...granted, idTokenClaims });
  const tokens = [body.access_token, body.refresh_token, body.id_token].filter((token) => typeof token === 'string');
  desk.clerk.note(number, { tokens });
  return { status: 200, body, whole: true };
}

function rejectDuplicates(form: URLSearchParams): void {
  if (new Set(form.keys()).size !== form.size) throw new Refusal(400, 'invalid_request', 'duplicated parameter');
}

async function proveKey({ realm, checkProof }: TokenDesk, client: ClientRow, context: Context) {
  const proof = context.get('dpop');
  if (proof) return checkProof({ proof, method: 'POST', url: `${realm.issuer}/token` });
  if (client.dpopRequired) throw new Refusal(400, 'invalid_request', 'DPoP proof is missing');
  return undefined;
}

function refusalReply(refusal: unknown): TokenReply {
  if (!(refusal instanceof Refusal)) throw refusal;
  const { status, error, message, headers } = refusal;
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
