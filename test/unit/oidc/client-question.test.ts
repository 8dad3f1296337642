import { expect, test } from 'vitest';
import { type Reply, startEndpoint } from './endpoint.ts';

const refused = (status: number, error?: string): Reply => ({ status, body: error === undefined ? {} : { error } });

/** What a provider makes of Nightkeep that answers so, and where it was asked. */
async function askedOf({ inspect, revoke, token }: { inspect?: Reply; revoke?: Reply; token?: Reply }) {
  const metadata: Record<string, unknown> = { revocation_endpoint: undefined };
  await using provider = await startEndpoint(metadata);
  if (inspect) metadata.introspection_endpoint = `${provider.origin}/inspect`;
  if (revoke) metadata.revocation_endpoint = `${provider.origin}/revoke`;
  provider.answer = ({ path }) => ({ '/inspect': inspect, '/revoke': revoke, '/token': token })[path];
  const said = await provider.issuer({ secrets: ['s'] }).askAboutClient();
  return { said, asked: provider.heard.map(({ path }) => path), heard: provider.heard };
}

test('a provider that says what it knows of a token that is none believes the client, and no token of anybody is sent', async () => {
  const { said, asked, heard } = await askedOf({ inspect: { status: 200, body: { active: false } } });
  expect([said, asked]).toEqual(['believed', ['/inspect']]);
  expect(heard[0]?.form.get('token')).toBe('nightkeep-asks');
  expect(heard[0]?.headers.authorization).toMatch(/^Basic /);
});

test.each<[string, Reply, Reply, string]>([
  ['as RFC 6749 says', refused(401, 'invalid_client'), refused(401, 'invalid_client'), 'invalid_client'],
  ['by 400', refused(400, 'invalid_client'), refused(400, 'invalid_client'), 'invalid_client'],
  ['as Keycloak does', refused(401, 'unauthorized_client'), refused(401, 'unauthorized_client'), 'unauthorized_client'],
  ['without a word, as Glewlwyd does', refused(401), refused(400), 'http-401'],
  ['by 200', refused(200, 'invalid_client'), refused(200, 'invalid_client'), 'invalid_client'],
])('a client is refused %s', async (_, question, token, errorCode) => {
  for (const questions of [{ inspect: question }, { revoke: question }, { inspect: question, revoke: question }]) {
    const { said, asked } = await askedOf({ ...questions, token });
    expect(said).toMatchObject({ kind: 'refused', errorCode });
    expect(asked.at(-1)).toBe('/token');
  }
});

test('a client that may not ask, but may revoke or is believed where tokens are exchanged, is believed', async () => {
  const inspect = refused(401, 'invalid_client');
  expect((await askedOf({ inspect, revoke: { status: 200 } })).said).toBe('believed');
  expect((await askedOf({ inspect, token: refused(400, 'invalid_grant') })).said).toBe('believed');
});

test('a client is believed whatever status of success it is told by, and whatever is told of the token besides', async () => {
  expect((await askedOf({ revoke: { status: 204 } })).said).toBe('believed');
  expect((await askedOf({ inspect: { status: 200, body: { active: false, error: 'invalid_token' } } })).said).toBe(
    'believed',
  );
});

test.each<[string, Parameters<typeof askedOf>[0]]>([
  ['there is nothing to ask', {}],
  ['it has trouble of its own', { revoke: { status: 503 } }],
  ['it wants something else', { revoke: refused(400, 'unsupported_token_type') }],
  ['it forbids the question', { inspect: refused(403, 'access_denied') }],
])('nothing is known where %s', async (_, answers) => {
  expect((await askedOf(answers)).said).toBeUndefined();
});

test('nothing is known where the connection is cut, and a public client has nothing to be refused for', async () => {
  await using provider = await startEndpoint();
  provider.answer = () => undefined;
  expect(await provider.issuer({ secrets: ['s'] }).askAboutClient()).toBeUndefined();
  provider.heard.splice(0);
  expect(await provider.issuer({ authentication: 'none' }).askAboutClient()).toBeUndefined();
  expect(provider.heard).toEqual([]);
});
