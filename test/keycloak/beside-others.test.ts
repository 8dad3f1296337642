import * as oidc from 'openid-client';
import { describe, expect, inject, test } from 'vitest';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { alice } from '../../demo/people.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { openFormsVisitor } from '../support/realms/forms-visitor.ts';
import { uuidOfClient } from '../support/realms/keycloak-faults.ts';
import { importRealm, type KeycloakRealm } from '../support/realms/keycloak-realm.ts';
import type { Rules } from '../support/realms/realm.ts';
import { startRelyingParty } from '../support/servers/relying-party.ts';

const server = inject('keycloak');
const scopes = { signIn: 'openid profile email', consent: 'openid profile email offline_access' };

/** A realm in which alice is signed in to another client, in the browser in which Nightkeep is opened next. */
async function openSituation(rules: Rules = {}) {
  if (server === undefined) throw new Error('There is no Keycloak.');
  await using opened = new AsyncDisposableStack();
  const pages = await listenOnLoopback(0);
  opened.defer(pages.down);
  pages.serve((_, response) => void response.end('<p>Nightkeep</p>'));
  const nightkeep = new URL(pages.origin);
  const realm = await importRealm(server, { nightkeep, people: [alice], rules });
  opened.defer(() => realm.admin.realms.del({ realm: realm.name }));
  const visitor = opened.use(openFormsVisitor(alice, `${realm.issuer}/protocol/openid-connect/logout`));
  const party = opened.use(await startRelyingParty({ id: 'other', secret: 'another-secret' }));
  const { redirectUris, id: clientId, secret } = party.client;
  await realm.admin.clients.create({
    realm: realm.name,
    clientId,
    secret: secret ?? '',
    redirectUris: [...redirectUris],
  });
  const asOther = await party.discover(realm.issuer);
  const signInToOther = async (extra?: Record<string, string>) => {
    const attempt = await party.begin(asOther, 'openid', extra);
    await visitor.open(attempt.url);
    return attempt.finish(visitor.url());
  };
  const issuerWith = (secrets: readonly string[]) =>
    openIssuer({
      provider: {
        issuer: new URL(realm.issuer),
        clientId: realm.client.id,
        authentication: 'client_secret_basic',
        secrets,
      },
      publicUrl: nightkeep,
      clock: systemClock(),
      log: silentLog,
    });
  const issuer = issuerWith([realm.client.secret]);
  const come = async (purpose: keyof typeof scopes) => {
    const prompt = purpose === 'consent' ? { prompt: 'consent' } : {};
    const begun = await issuer.beginAuthorization({ purpose, scope: scopes[purpose], returnTo: '/', ...prompt });
    await visitor.open(begun.url.href);
    return issuer.finishAuthorization(new URL(visitor.url()), begun.transaction);
  };
  const closing = opened.move();
  return {
    realm,
    issuer,
    issuerWith,
    come,
    signInToOther,
    /** What came of a refresh, and the token that it was answered with. */
    exchange: async (token = '', as = issuer) => {
      const answer = await as.exchange(token);
      return { kind: answer.kind, next: answer.kind === 'answered' ? answer.tokens.refreshToken : undefined };
    },
    refreshOther: (token = '') => oidc.refreshTokenGrant(asOther, token),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The client policies of the realm: refresh answers hold no refresh token. */
async function suppressRotation({ admin, name }: KeycloakRealm): Promise<void> {
  const profile = { name: 'quiet', executors: [{ executor: 'suppress-refresh-token-rotation', configuration: {} }] };
  await admin.clientPolicies.createProfiles({ realm: name, profiles: [profile] });
  const conditions = [{ condition: 'any-client', configuration: {} }];
  await admin.clientPolicies.updatePolicy({
    realm: name,
    policies: [{ name: 'quiet', enabled: true, conditions, profiles: ['quiet'] }],
  });
}

describe.skipIf(server === undefined)('on Keycloak', () => {
  test.each([
    ['after signing in', true],
    ['as the first thing', false],
  ])(
    'a consent %s leaves the session of another client alive, and so do its use and its end',
    async (...[, signsIn]) => {
      await using situation = await openSituation();
      const { come, issuer, refreshOther, signInToOther } = situation;
      const other = await signInToOther();
      if (signsIn) await come('signIn');
      const { tokens } = await come('consent');
      expect(tokens.tokenType).toBe('Offline');
      const second = await refreshOther(other.refresh_token);
      expect((await issuer.exchange(tokens.refreshToken ?? '')).kind).toBe('answered');
      const third = await refreshOther(second.refresh_token);
      await issuer.revoke(tokens.refreshToken ?? '');
      expect((await issuer.exchange(tokens.refreshToken ?? '')).kind).toBe('refused');
      expect((await refreshOther(third.refresh_token)).access_token).toBeDefined();
      expect((await signInToOther({ prompt: 'none' })).access_token).toBeDefined();
    },
  );

  test('a refresh answer without a refresh token, by client policy, rotation off: the token goes on to serve', async () => {
    await using situation = await openSituation({ rotation: 'off' });
    const { tokens } = await situation.come('consent');
    await suppressRotation(situation.realm);
    for (let night = 1; night <= 3; night += 1)
      expect(await situation.exchange(tokens.refreshToken)).toEqual({ kind: 'answered', next: undefined });
  });

  test('the same with rotation on and reuse 0 uses the token up and gives no other: the second refresh is refused', async () => {
    await using situation = await openSituation({ rotation: { reuse: 0 } });
    const { tokens } = await situation.come('consent');
    await suppressRotation(situation.realm);
    expect(await situation.exchange(tokens.refreshToken)).toEqual({ kind: 'answered', next: undefined });
    expect(await situation.exchange(tokens.refreshToken)).toEqual({ kind: 'refused', next: undefined });
  });

  test('a secret that is changed there costs nothing where Nightkeep holds the new one too', async () => {
    await using situation = await openSituation({ rotation: 'off' });
    const { come, exchange, issuerWith, realm } = situation;
    const { tokens } = await come('consent');
    const both = issuerWith([realm.client.secret, 'new-secret_of.~parts']);
    expect(await exchange(tokens.refreshToken, both)).toMatchObject({ kind: 'answered' });
    const about = { realm: realm.name, id: await uuidOfClient(realm) };
    await realm.admin.clients.update(about, { clientId: realm.client.id, secret: 'new-secret_of.~parts' });
    for (let time = 1; time <= 2; time += 1)
      expect(await exchange(tokens.refreshToken, both)).toMatchObject({ kind: 'answered' });
    expect(await exchange(tokens.refreshToken)).toMatchObject({ kind: 'refused' });
  });
});
