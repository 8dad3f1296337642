import type { FailedAnswer } from '../domain/verdict.ts';
import type { Connection } from './connection.ts';
import { errorIn, objectIn, tidyRevocation } from './tidy-answer.ts';
import { attempt, responseOf } from './transport.ts';

/** A token that is none. */
const nothing = 'nightkeep-asks';
const limitMs = 10_000;

/**
 * What the provider makes of Nightkeep, by questions that use nothing up: what it knows of a token that is none (RFC 7662), else to
 * revoke that (RFC 7009). Of both the client is judged first. A refusal, unless the token endpoint believes the client all the same;
 * undefined where that cannot be asked or told. Throws what a request failed with.
 */
export async function askAboutClient(connection: Connection): Promise<FailedAnswer | 'believed' | undefined> {
  const { introspection_endpoint, revocation_endpoint, token_endpoint } = connection.metadata;
  let refusal: FailedAnswer | undefined;
  for (const endpoint of [introspection_endpoint, revocation_endpoint]) {
    if (endpoint === undefined) continue;
    const { status, error } = await ask(connection, endpoint, { token: nothing });
    if (status === 200) return 'believed';
    refusal ??= refusalIn(status, error);
  }
  if (refusal === undefined || token_endpoint === undefined) return undefined;
  const exchanged = await ask(connection, token_endpoint, { grant_type: 'refresh_token', refresh_token: nothing });
  return exchanged.error === 'invalid_grant' ? 'believed' : refusal;
}

/** RFC 6749, section 5.2; Keycloak says the second word of a wrong secret. */
function refusalIn(status: number, error: string | undefined): FailedAnswer | undefined {
  if (error === 'invalid_client' || error === 'unauthorized_client')
    return { kind: 'refused', status, errorCode: error };
  return status === 401 ? { kind: 'refused', status, errorCode: 'http-401' } : undefined;
}

async function ask(
  { authenticated, reaching }: Connection,
  endpoint: string,
  form: Record<string, string>,
): Promise<{ status: number; error: string | undefined }> {
  const send = authenticated(async (...request) => responseOf(await attempt(reaching, ...request)));
  const answer = await send(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    body: new URLSearchParams(form),
    redirect: 'manual',
    signal: AbortSignal.timeout(limitMs),
  });
  const said = { status: answer.status, text: await answer.text() };
  const body = objectIn(said.text);
  // What is known of a token may come with the reason why it is not active.
  if (typeof body.active === 'boolean') return { status: said.status, error: undefined };
  return { status: tidyRevocation(said).status, error: errorIn(body) };
}
