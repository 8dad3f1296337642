import type ClientRepresentation from '@keycloak/keycloak-admin-client/lib/defs/clientRepresentation.js';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { alice, people } from '../../demo/people.ts';
import { systemClock } from '../../src/clock.ts';
import type { Environment } from '../../src/config/environment.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { State } from '../../src/doctor/finding.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { type OpenCustody, openCustody } from '../support/harness/custody.ts';
import { byName, exchange, statesOf } from '../support/harness/doctor.ts';
import { settingsFor } from '../support/harness/settings.ts';
import { openFormsVisitor } from '../support/realms/forms-visitor.ts';
import { uuidOfClient } from '../support/realms/keycloak-faults.ts';
import { importRealm, type KeycloakRealm } from '../support/realms/keycloak-realm.ts';
import type { Rules } from '../support/realms/realm.ts';
import { startRelyingParty } from '../support/servers/relying-party.ts';

const server = inject('keycloak');
const clock = systemClock();

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

/** A realm of its own as deploy/keycloak/nightkeep-realm.json sets it up, and a Nightkeep that asks there. */
async function open(rules: Rules = {}) {
  if (server === undefined) throw new Error('There is no Keycloak.');
  const party = opened.use(await startRelyingParty());
  const publicUrl = new URL('/', party.client.redirectUris[0]);
  const realm = await importRealm(server, { nightkeep: publicUrl, people, rules, wired: false });
  opened.defer(() => realm.admin.realms.del({ realm: realm.name }));
  const folder = opened.use(await temporaryFolder('doctor')).path;
  const { id: clientId, secret } = realm.client;
  const at = { folder, publicUrl, issuer: realm.issuer, clientId };
  const environment = { ...settingsFor(at), OIDC_CLIENT_SECRET: secret };
  const look = async (changes: Environment = {}) =>
    byName((await examine({ ...environment, ...changes }, clock)).checks);
  return { realm, environment, look };
}

async function aboutClient(realm: KeycloakRealm) {
  return { realm: realm.name, id: await uuidOfClient(realm) };
}

/** Changes the client, and gives what puts it back. */
const client =
  ({ attributes, ...changes }: ClientRepresentation): Injection =>
  async (realm) => {
    const about = await aboutClient(realm);
    const before = (await realm.admin.clients.findOne(about)) ?? {};
    const changed = { ...before, ...changes, attributes: { ...before.attributes, ...attributes } };
    await realm.admin.clients.update(about, changed);
    // An attribute that is left out stays.
    const reset = Object.fromEntries(
      Object.keys(attributes ?? {}).map((name) => [name, before.attributes?.[name] ?? '']),
    );
    return () => realm.admin.clients.update(about, { ...before, attributes: { ...before.attributes, ...reset } });
  };

const withoutOfflineScope: Injection = async (realm) => {
  const scope = await realm.admin.clientScopes.findOneByName({ realm: realm.name, name: 'offline_access' });
  const about = { ...(await aboutClient(realm)), clientScopeId: scope?.id ?? '' };
  await realm.admin.clients.delOptionalClientScope(about);
  return () => realm.admin.clients.addOptionalClientScope(about);
};

const disabledRealm: Injection = async ({ admin, name }) => {
  await admin.realms.update({ realm: name }, { enabled: false });
  return () => admin.realms.update({ realm: name }, { enabled: true });
};

/** Makes something wrong, and gives what mends it. */
type Injection = (realm: KeycloakRealm) => Promise<() => Promise<unknown>>;

interface Fault {
  case: string;
  inject?: Injection;
  settings?: Environment;
  name: string;
  state: State;
  words: RegExp;
}

describe.skipIf(server === undefined)('nightkeep doctor at a real Keycloak', () => {
  test('finds nothing wrong in the realm that comes with Nightkeep', async () => {
    const { look } = await open();
    const findings = await look();
    const names = ['discovery', 'signing keys', 'client', 'sign-in', 'offline scope', 'pushed requests'];
    expect(statesOf(findings, ...names)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])));
    expect([...findings.values()].filter(({ state }) => state === 'wrong' || state === 'warn')).toEqual([]);
    expect(findings.get('consent screen')).toMatchObject({ state: 'unknown' });
  });

  const bound = client({ attributes: { 'dpop.bound.access.tokens': 'true' } });
  const faults: Fault[] = [
    {
      case: 'a wrong secret',
      settings: { OIDC_CLIENT_SECRET: 'not it' },
      name: 'client',
      state: 'wrong',
      words: /not with this secret.*unauthorized_client/,
    },
    {
      case: 'an unknown client',
      settings: { OIDC_CLIENT_ID: 'nobody' },
      name: 'client',
      state: 'wrong',
      words: /does not know the client nobody/,
    },
    {
      case: 'a disabled client',
      inject: client({ enabled: false }),
      name: 'client',
      state: 'wrong',
      words: /or it is disabled there/,
    },
    {
      case: 'a client that should sign assertions',
      inject: client({ clientAuthenticatorType: 'client-jwt' }),
      name: 'client',
      state: 'wrong',
      words: /not with this secret \(client_secret_basic\)/,
    },
    {
      case: 'a public client',
      inject: client({ publicClient: true }),
      name: 'client type',
      state: 'warn',
      words: /public client there/,
    },
    {
      case: 'a redirect address that is not registered',
      settings: { PUBLIC_URL: 'http://localhost:2' },
      name: 'sign-in',
      state: 'wrong',
      words: /come back to http:\/\/localhost:2\/callback/,
    },
    {
      case: 'the standard flow off',
      inject: client({ standardFlowEnabled: false }),
      name: 'sign-in',
      state: 'wrong',
      words: /may not send people to sign in/,
    },
    {
      case: 'scopes that the client lacks',
      settings: { OIDC_SCOPES: 'calendar' },
      name: 'sign-in',
      state: 'wrong',
      words: /one of the scopes openid profile email calendar/,
    },
    {
      case: 'another PKCE method',
      inject: client({ attributes: { 'pkce.code.challenge.method': 'plain' } }),
      name: 'sign-in',
      state: 'wrong',
      words: /refuses authorization requests/,
    },
    {
      case: 'no optional scope offline_access',
      inject: withoutOfflineScope,
      name: 'offline scope',
      state: 'wrong',
      words: /may not request offline_access/,
    },
    {
      case: 'pushed requests that are demanded',
      inject: client({ attributes: { 'require.pushed.authorization.requests': 'true' } }),
      name: 'pushed requests',
      state: 'ok',
      words: /demands them, and Nightkeep pushes/,
    },
    {
      case: 'bound tokens that are demanded',
      inject: bound,
      name: 'bound tokens',
      state: 'wrong',
      words: /requires a key/,
    },
    {
      case: 'bound tokens that are demanded, and are bound',
      inject: bound,
      settings: { OIDC_DPOP: 'required' },
      name: 'bound tokens',
      state: 'ok',
      words: /Nightkeep has one/,
    },
    {
      case: 'consent that is not required',
      inject: client({ consentRequired: false, directAccessGrantsEnabled: true }),
      name: 'consent screen',
      state: 'warn',
      words: /without asking the person/,
    },
    {
      case: 'consent that is required',
      inject: client({ directAccessGrantsEnabled: true }),
      name: 'consent screen',
      state: 'ok',
      words: /asks people before/,
    },
    {
      case: 'a disabled realm',
      inject: disabledRealm,
      name: 'client',
      state: 'wrong',
      words: /answers nobody/,
    },
  ];

  test('recognises what is set up wrong, and nothing of it once it is mended', async () => {
    const { realm, look } = await open();
    for (const { case: about, inject, settings, name, state, words } of faults) {
      const undo = await inject?.(realm);
      expect((await look(settings)).get(name), about).toMatchObject({ state, finding: expect.stringMatching(words) });
      await undo?.();
    }
    expect([...(await look()).values()].filter(({ state }) => state === 'wrong' || state === 'warn')).toEqual([]);
    expect((await look({ OIDC_ISSUER: `${realm.issuer}-moved` })).get('discovery')).toMatchObject({
      state: 'wrong',
      finding: expect.stringMatching(/no provider at .*\(404\)/),
    });
  });

  test.each([
    ['revoke refresh token on', { rotation: { reuse: 0 } }, { rotation: 'warn' }],
    ['revoke refresh token off', { rotation: 'off' }, { rotation: 'ok' }],
    ['a maximum', { offlineIdleSeconds: 86_400, offlineMaxSeconds: 864_000 }, { 'offline idle': 'warn' }],
  ] as const)('reads in the tokens: %s', async (_case, rules, states) => {
    const { realm, environment, look } = await open(rules);
    const custody = opened.use(await openCustody(environment, { clock }));
    await exchange(custody.resources, (await consent(realm, custody)).id);
    const findings = await look();
    expect(statesOf(findings, ...Object.keys(states))).toEqual(states);
    expect(statesOf(findings, 'offline tokens', 'clocks', 'grants')).toEqual({
      'offline tokens': 'ok',
      clocks: 'ok',
      grants: 'ok',
    });
  });

  test('names the role that a person lacks', async () => {
    const { realm, environment, look } = await open();
    const custody = opened.use(await openCustody(environment, { clock }));
    const grant = await consent(realm, custody);
    const about = { realm: realm.name, id: realm.idOf(alice) };
    const held = await realm.admin.users.listRealmRoleMappings(about);
    const roles = held.map(({ id = '', name = '' }) => ({ id, name }));
    await realm.admin.users.delRealmRoleMappings({ ...about, roles });
    await exchange(custody.resources, grant.id);
    expect((await look()).get('grants')).toMatchObject({
      state: 'warn',
      finding: expect.stringMatching(/1 person may no longer give offline access/),
      cure: expect.stringMatching(/realm role offline_access/),
    });
  });
});

async function consent({ issuer }: KeycloakRealm, custody: OpenCustody) {
  const { grant } = await custody.consentBy(async (url) => {
    await using visitor = openFormsVisitor(alice, `${issuer}/protocol/openid-connect/logout`);
    await visitor.open(url.href);
    return new URL(visitor.url());
  });
  return grant;
}
