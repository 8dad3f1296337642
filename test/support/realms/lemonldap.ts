import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from '../../../demo/people.ts';
import { type Lemonldap, startLemonldap } from '../servers/lemonldap.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import { cannot, newSecret, type Provider, type Realm, type RealmFault, type WantedRealm } from './realm.ts';
import { openWire } from './wire.ts';

/** Scenarios on LemonLDAP::NG: each realm is a server of its own. */
export const lemonldap: Provider = { openRealm, behavesAs: '26.7', restart: undefined };

async function openRealm({ nightkeep, people, wired }: WantedRealm): Promise<Realm> {
  await using opened = new AsyncDisposableStack();
  let port = 0;
  const wire = wired ? opened.use(await openWire(() => new URL(`http://127.0.0.1:${port}`))) : undefined;
  const address = () => wire?.origin ?? `http://127.0.0.1:${port}`;
  const client = { id: 'nightkeep', secret: newSecret() };
  const keys = newKeys();
  const options = (secret: string) => optionsOf({ address: address(), client: { ...client, secret }, nightkeep, keys });
  const server = opened.use(
    await startLemonldap((at) => {
      port = at;
      return options(client.secret);
    }),
  );
  for (const person of people) await server.sql(insertionOf(person));
  const changeSecret = async (secret: string) => {
    await server.configure(options(secret));
    const known = async () => (await introspect(address(), { ...client, secret })).ok;
    for (let tried = 0; !(await known()); tried += 1) {
      if (tried === 100) throw new Error('LemonLDAP::NG does not read its configuration again.');
      await sleep(100);
    }
  };
  const inject: Partial<Record<RealmFault, (person: Person) => Promise<(() => Promise<void>) | undefined>>> = {
    'an administrator deletes the consent': async (person) => {
      for (const id of await offlineSessionsOf(server, person)) await server.removeSession(id);
      return undefined;
    },
    'the person is deleted': async ({ username }) => {
      await server.sql(`DELETE FROM people WHERE username = '${username}'`);
      return undefined;
    },
    'the secret of the client is changed': async () => {
      await changeSecret('another');
      return () => changeSecret(client.secret);
    },
  };
  const closing = opened.move();
  return {
    issuer: address(),
    client,
    accessToken: { personIn: 'sub' },
    configure: () => cannot('be set otherwise while it runs'),
    offlineSessions: async (person) => (await offlineSessionsOf(server, person)).length,
    accessesShownTo: () => cannot('show people what they gave'),
    inject: async (fault, person) => (inject[fault] ?? (() => cannot(`play that ${fault}`)))(person),
    holdNextAnswer: () => wire?.holdNextAnswer() ?? cannot('hold answers without a wire'),
    visitor: async (person) => openFormsVisitor(person, `${address()}/?logout=1`),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function offlineSessionsOf(server: Lemonldap, { username }: Person): Promise<string[]> {
  const offline = (await server.sessions()).filter(
    ({ _type, _session_uid }) => _type === 'refresh_token' && _session_uid === username,
  );
  return offline.map(({ _session_id }) => _session_id);
}

/** Looks at the client before it looks at the token. */
function introspect(address: string, { id, secret }: Realm['client']): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const body = new URLSearchParams({ token: 'none' });
  return fetch(`${address}/oauth2/introspect`, { method: 'POST', headers: { authorization }, body });
}

function newKeys() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

interface Setup {
  readonly address: string;
  readonly client: Realm['client'];
  readonly nightkeep: URL;
  readonly keys: { readonly privateKey: string; readonly publicKey: string };
}

function optionsOf({ address, client, nightkeep, keys }: Setup) {
  const options = {
    ClientID: client.id,
    ClientSecret: client.secret,
    DisplayName: 'Nightkeep',
    RedirectUris: new URL('callback', nightkeep).href,
    AllowOffline: 1,
    BypassConsent: 0,
    RequirePKCE: 1,
    AccessTokenJWT: 1,
    AccessTokenSignAlg: 'RS256',
    AccessTokenExpiration: 300,
    IDTokenSignAlg: 'RS256',
    OfflineSessionExpiration: 30 * 86_400,
    UserIDAttr: 'uid',
  };
  return {
    portal: `${address}/`,
    domain: new URL(address).hostname,
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: address,
    oidcServicePrivateKeySig: keys.privateKey,
    oidcServicePublicKeySig: keys.publicKey,
    oidcServiceKeyIdSig: 'key-1',
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcServiceAllowOffline: 1,
    oidcServiceIgnoreScopeForClaims: 1,
    oidcRPMetaDataOptions: {
      nightkeep: Object.fromEntries(
        Object.entries(options).map(([name, value]) => [`oidcRPMetaDataOptions${name}`, value]),
      ),
    },
    oidcRPMetaDataExportedVars: { nightkeep: { name: 'cn', preferred_username: 'uid', email: 'mail' } },
  };
}

function insertionOf({ username, password, name, email }: Person): string {
  const values = [username, password, name, email].map((text) => `'${text.replaceAll("'", "''")}'`);
  return `INSERT INTO people VALUES (${values.join(', ')})`;
}
