import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type ErrorCode, isAppError } from '../../src/errors.ts';
import { openMail } from '../support/fixtures/open-mail.ts';
import { rootOf } from '../support/fixtures/open-source.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { apache } from '../support/servers/apache.ts';
import { startDeployedWebdav } from '../support/servers/deployed-webdav.ts';
import { type Dovecot, dovecot, startDovecot } from '../support/servers/dovecot.ts';
import { defaultVersion, keycloakDistribution } from '../support/servers/keycloak/distribution.ts';
import { administrator, placeholders, prepareHome, startKeycloak } from '../support/servers/keycloak/process.ts';

const run = promisify(execFile);
const ours = inject('keycloak')?.restartUrl !== undefined;
const hostname = 'keycloak.localhost';

/** Keycloak and Apache as docker-compose.yml runs them: browsers know Keycloak by one name, Apache asks it by another. */
describe.skipIf(!ours || apache === undefined)('the Keycloak and the WebDAV server of docker-compose.yml', () => {
  const opened = new AsyncDisposableStack();
  let issuer: URL;
  let realm: URL;
  let webdav: string;

  beforeAll(async () => {
    const home = opened.use(await temporaryFolder('deployed'));
    await prepareHome((await keycloakDistribution(defaultVersion)) ?? '', home.path);
    const keycloak = opened.use(await startKeycloak(home.path, { hostname }));
    realm = new URL('realms/nightkeep', keycloak.url);
    issuer = Object.assign(new URL(realm), { hostname });
    webdav = opened.use(await startDeployedWebdav(realm, placeholders.WEBDAV_CLIENT_SECRET)).url;
    await letPasswordsIn(keycloak.url);
  });
  afterAll(() => opened.disposeAsync());

  const statusOf = async (path: string, token?: string, method = 'PROPFIND') => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(new URL(path, webdav), { method, headers: { depth: '1', ...authorization } })).status;
  };

  test('Keycloak is one issuer under both names, and sends back channels where they came from', async () => {
    const metadata = await (await fetch(`${realm.href}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({
      issuer: issuer.href,
      authorization_endpoint: expect.stringContaining(`${issuer.href}/`),
      token_endpoint: expect.stringContaining(`${realm.href}/`),
      introspection_endpoint: expect.stringContaining(`${realm.href}/`),
    });
  });

  test('a token of Nightkeep opens the files of its person, and nobody else’s', async () => {
    const alice = await tokenOf('alice', 'nightkeep', placeholders.NIGHTKEEP_CLIENT_SECRET);
    expect(decodeJwt(alice)).toMatchObject({ iss: issuer.href, preferred_username: 'alice' });
    expect(await statusOf('files/alice/', alice)).toBe(207);
    expect(await statusOf('files/alice/letter.txt', alice, 'GET')).toBe(200);
    for (const path of ['files/bob/', 'files/bob/recipe.md', 'files/', ''])
      expect(await statusOf(path, alice)).toBe(403);
    const bob = await tokenOf('bob', 'nightkeep', placeholders.NIGHTKEEP_CLIENT_SECRET);
    expect([await statusOf('files/bob/', bob), await statusOf('files/alice/', bob)]).toEqual([207, 403]);
  });

  test('without a token, with a made-up one, or with one for somebody else, nothing opens', async () => {
    expect([await statusOf('files/alice/'), await statusOf('files/alice/', 'made-up')]).toEqual([401, 401]);
    expect([401, 403]).toContain(await statusOf('files/alice/', await tokenOf('alice', 'admin-cli')));
  });

  describe.skipIf(dovecot === undefined)('a mail server with the lines of docs/operations.md', () => {
    const outcome = async (server: Dovecot, person: string, token: string) => {
      const access = async () => ({ token });
      await using source = openMail(server.urlOf(person), { clock: systemClock(), access });
      return await rootOf(source).then(
        () => 'open',
        (error: unknown) => (isAppError(error) ? error.code : error),
      );
    };

    async function expectOwnMailAlone(oauth2: string, madeUp: ErrorCode): Promise<void> {
      await using server = await startDovecot({ oauth2 });
      await server.deliver('alice', 'INBOX', { content: 'Subject: Hello\r\n\r\nHello.\r\n' });
      const alice = await tokenOf('alice', 'nightkeep', placeholders.NIGHTKEEP_CLIENT_SECRET);
      expect(await outcome(server, 'alice', alice)).toBe('open');
      expect(await outcome(server, 'bob', alice)).toBe('source/unauthorized');
      expect(await outcome(server, 'alice', 'made-up')).toBe(madeUp);
    }

    test('that asks Keycloak’s userinfo endpoint opens the mail of the token’s person alone', async () => {
      const oauth2 = (await oauth2Lines('auth')).replace('https://keycloak.example/realms/people', realm.href);
      await expectOwnMailAlone(oauth2, 'source/unavailable');
    });

    test('that checks the signature does, and takes no token of another client', async () => {
      const { keys } = Object(await (await fetch(`${realm.href}/protocol/openid-connect/certs`)).json());
      await using folder = await temporaryFolder('keys');
      for (const key of keys.filter(({ use }: { use: string }) => use === 'sig')) {
        const place = join(folder.path, 'nightkeep', key.alg);
        await mkdir(place, { recursive: true });
        const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
        await writeFile(join(place, key.kid), pem);
      }
      await run('chmod', ['-R', 'a+rX', folder.path]);
      const oauth2 = (await oauth2Lines('local'))
        .replace('/etc/dovecot/keys', folder.path)
        .replace('https://keycloak.example/realms/people', issuer.href);
      await expectOwnMailAlone(oauth2, 'source/unauthorized');
      await using server = await startDovecot({ oauth2 });
      expect(await outcome(server, 'alice', await tokenOf('alice', 'admin-cli'))).toBe('source/unauthorized');
    });
  });

  test('it says that it is well, to everybody', async () => {
    expect(await statusOf('healthy', undefined, 'GET')).toBe(204);
  });

  /** Of the client's own people, who need no browser for it here. */
  async function letPasswordsIn(url: string): Promise<void> {
    const admin = new KeycloakAdminClient({ baseUrl: url.replace(/\/$/, ''), realmName: 'master' });
    await admin.auth({ ...administrator, grantType: 'password', clientId: 'admin-cli' });
    const [client] = await admin.clients.find({ realm: 'nightkeep', clientId: 'nightkeep' });
    const changes = { ...client, directAccessGrantsEnabled: true, consentRequired: false };
    await admin.clients.update({ realm: 'nightkeep', id: client?.id ?? '' }, changes);
  }

  async function tokenOf(person: string, client: string, secret?: string): Promise<string> {
    const answer = await fetch(`${realm.href}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: client,
        ...(secret !== undefined && { client_secret: secret }),
        username: person,
        password: person,
        scope: 'openid',
      }),
    });
    return String(Object(await answer.json()).access_token);
  }
});

/** What docs/operations.md has an operator write into `oauth2.conf`, by its mode. */
async function oauth2Lines(mode: 'auth' | 'local'): Promise<string> {
  const page = await readFile('docs/operations.md', 'utf8');
  const lines = [...page.matchAll(/^```\n(introspection_mode = (\w+)\n[^`]*)```$/gm)].find(
    ([, , name]) => name === mode,
  )?.[1];
  if (lines === undefined) throw new Error(`docs/operations.md has no lines for the mode ${mode}.`);
  return lines;
}
