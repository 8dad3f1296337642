import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { isAppError } from '../../../src/errors.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';
import { openProcessState } from '../../../src/resources.ts';
import { scryptCosts } from '../../../src/store/format/key-file.ts';
import { createApp } from '../../../src/web/app.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { rememberingQueues } from '../../support/fixtures/remembering-queues.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Provider = Custody['config']['provider'];

/** Another process with these settings of the client. */
function withClient(settings: Partial<Provider>): Custody {
  const { config, ...rest } = fixture.other(JSON.stringify(Object.keys(settings)));
  const provider = { ...config.provider, ...settings };
  const issuer = openIssuer({ provider, publicUrl: config.publicUrl, clock: rest.clock, log: silentLog });
  return { ...rest, config: { ...config, provider }, issuer };
}

const exchange = (resources: Custody, grantId: string) =>
  obtainAccess(resources, { grantId, minimumSeconds: 86_400 }).then(
    () => 'went well',
    (error: unknown) => (isAppError(error) ? error.code : error),
  );
const verdicts = async (grantId: string) =>
  (await fixture.resources.database.exchange.findMany({ where: { grantId }, orderBy: { fence: 'asc' } })).map(
    ({ verdict }) => verdict,
  );

test('a secret is rolled live: no exchange, consent or revocation fails while both are known', async () => {
  const { grant } = await fixture.consent();
  const [secret = ''] = fixture.resources.config.provider.secrets;
  const rolling = withClient({ secrets: ['the next secret', secret] });
  expect(await exchange(rolling, grant.id)).toBe('went well');
  fixture.provider.admin.setClientSecret('rp', 'the next secret');
  expect(await exchange(rolling, grant.id)).toBe('went well');
  expect(await exchange(rolling, grant.id)).toBe('went well');
  expect(await exchange(fixture.other('forgotten'), grant.id)).toBe('provider/refused-client');
  fixture.pass(60_000);
  expect(await exchange(rolling, grant.id)).toBe('went well');
  expect(await verdicts(grant.id)).toEqual(['ok', 'ok', 'ok', 'ok', 'operator', 'ok']);
  expect(await withdrawConsent(rolling, { grantId: grant.id, by: 'alice' })).toEqual({
    withdrawn: true,
    tokens: 'ended',
  });
});

/** The pages that publish the keys of this issuer. */
async function publish(issuer: Issuer) {
  const unused = {
    queues: rememberingQueues([]),
    store: openMemoryBackend,
    places: async () => [],
    scrypt: scryptCosts,
    ...openProcessState(fixture.resources),
  };
  const app = createApp({ ...fixture.resources, ...unused, issuer });
  const server = await listenOnLoopback(0);
  server.serve(async (request, response) => {
    const answer = await app.fetch(new Request(new URL(request.url ?? '/', 'http://localhost')));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  const url = `${server.origin}/jwks`;
  return { url, [Symbol.asyncDispose]: server.down };
}

test('a client that signs its assertions works with its keys published at /jwks, and while they are rolled', async () => {
  const { grant } = await fixture.consent();
  const pem = () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const [old, next] = [pem(), pem()];
  const before = withClient({ authentication: 'private_key_jwt', secrets: [], privateKeyPem: old });
  const after = withClient({ authentication: 'private_key_jwt', secrets: [], privateKeyPem: `${next}${old}` });
  await using pages = await publish(after.issuer);
  fixture.provider.admin.register({
    id: 'rp',
    name: 'Nightkeep',
    authentication: 'private_key_jwt',
    publicKeys: { url: pages.url },
    redirectUris: [new URL('/callback', fixture.resources.config.publicUrl).href],
  });
  expect(await exchange(before, grant.id)).toBe('went well');
  expect(await exchange(after, grant.id)).toBe('went well');
  expect(await exchange(before, grant.id)).toBe('went well');
  expect(await exchange(fixture.other('with a secret'), grant.id)).toBe('provider/refused-client');
});
