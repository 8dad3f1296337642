import { generateKeyPairSync } from 'node:crypto';
import { openBrowser, type Page } from '../../../demo/browser/browser.ts';
import type { Person } from '../../../demo/people.ts';
import { glewlwydAdministrator, startGlewlwyd } from '../servers/glewlwyd.ts';
import { type AnswerPage, openFormsVisitor } from './forms-visitor.ts';
import { cannot, newSecret, type Provider, type Realm, type RealmFault, type WantedRealm } from './realm.ts';
import { openWire } from './wire.ts';

/** Scenarios on Glewlwyd: each realm is a server of its own. */
export const glewlwyd: Provider = { openRealm, behavesAs: '26.7', restart: undefined };

async function openRealm({ nightkeep, people, rules, wired }: WantedRealm): Promise<Realm> {
  await using opened = new AsyncDisposableStack();
  let port = 0;
  const wire = wired ? opened.use(await openWire(() => new URL(`http://127.0.0.1:${port}`))) : undefined;
  opened.use(
    await startGlewlwyd((at) => {
      port = at;
      return wire?.origin ?? `http://127.0.0.1:${at}`;
    }),
  );
  const address = wire?.origin ?? `http://127.0.0.1:${port}`;
  const client = { id: 'nightkeep', secret: newSecret() };
  const admin = opened.use(await signedIn(address, glewlwydAdministrator));
  const issuer = `${address}/api/oidc`;
  await admin('POST', 'mod/plugin/', pluginOf(issuer, typeof rules.rotation === 'object'));
  for (const name of newScopes) await admin('POST', 'scope/', scopeOf(name));
  for (const person of people) await admin('POST', 'user/', accountOf(person));
  const registration = registrationOf(client, nightkeep);
  await admin('POST', 'client/', registration);
  /** The person's own page lists them. */
  const liveTokens = async (person: Person): Promise<LiveToken[]> => {
    await using own = await signedIn(address, person);
    const tokens: LiveToken[] = JSON.parse(await own('GET', 'oidc/token?limit=1000'));
    return tokens.filter(({ enabled, client_id }) => enabled && client_id === client.id);
  };
  const changeSecret = (secret: string) =>
    admin('PUT', `client/${client.id}`, { ...registration, client_secret: secret });
  const inject: Partial<Record<RealmFault, (person: Person) => Promise<(() => Promise<void>) | undefined>>> = {
    'the person removes access in the account console': async (person) => {
      await using own = await signedIn(address, person);
      for (const { token_hash } of await liveTokens(person))
        await own('DELETE', `oidc/token/${encodeURIComponent(token_hash)}`);
      return undefined;
    },
    'the person is disabled': async (person) => {
      await admin('PUT', `user/${person.username}`, { ...accountOf(person), enabled: false });
      return async () => void (await admin('PUT', `user/${person.username}`, accountOf(person)));
    },
    'the person is deleted': async ({ username }) => {
      await admin('DELETE', `user/${username}`);
      return undefined;
    },
    'the secret of the client is changed': async () => {
      await changeSecret('another');
      return async () => void (await changeSecret(client.secret));
    },
  };
  const closing = opened.move();
  return {
    issuer,
    client,
    accessToken: { personIn: 'preferred_username' },
    configure: () => cannot('be set otherwise while it runs'),
    offlineSessions: async (person) => (await liveTokens(person)).length,
    accessesShownTo: async (person) => (await liveTokens(person)).length,
    inject: async (fault, person) => (inject[fault] ?? (() => cannot(`play that ${fault}`)))(person),
    holdNextAnswer: () => wire?.holdNextAnswer() ?? cannot('hold answers without a wire'),
    visitor: async (person) => openFormsVisitor(person, `${address}/login.html`, pagesOf(address, client.id, person)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

interface LiveToken {
  readonly token_hash: string;
  readonly client_id: string;
  readonly enabled: boolean;
}

/** Those that are not there from the start. */
const newScopes = ['profile', 'email', 'offline_access'];

/** Asks the server's API as somebody who has signed in. Throws what it answered unless it did as it was told. */
type Api = ((method: string, path: string, json?: object) => Promise<string>) & AsyncDisposable;

async function signedIn(address: string, { username, password }: Pick<Person, 'username' | 'password'>): Promise<Api> {
  const browser = openBrowser();
  const api = async (method: string, path: string, json?: object) => {
    const { status, text } = await browser.fetch(`${address}/api/${path}`, { method, json });
    if (status === 200) return text;
    throw new Error(`Glewlwyd answers ${status} to ${method} ${path}: ${text}`);
  };
  await api('POST', 'auth/', { username, password });
  return Object.assign(api, { [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose]() });
}

/** Tokens as they come, but for the name that people sign in with. */
function pluginOf(issuer: string, rotates: boolean) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    enabled: true,
    parameters: {
      iss: issuer,
      'jwt-type': 'rsa',
      'jwt-key-size': '256',
      key: privateKey,
      cert: publicKey,
      'access-token-duration': 300,
      'refresh-token-duration': 30 * 86_400,
      'code-duration': 60,
      'refresh-token-rolling': true,
      'refresh-token-one-use': rotates ? 'always' : 'never',
      'auth-type-code-enabled': true,
      'auth-type-refresh-enabled': true,
      'jwks-show': true,
      'pkce-allowed': true,
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'session-management-allowed': false,
      'additional-parameters': [{ 'user-parameter': 'username', 'token-parameter': 'preferred_username' }],
      claims: [
        {
          name: 'preferred_username',
          'user-property': 'username',
          type: 'string',
          mandatory: true,
          'on-demand': false,
          scope: [],
        },
      ],
    },
  };
}

function scopeOf(name: string) {
  return { name, display_name: name, password_required: true, password_max_age: 0, scheme: {} };
}

function accountOf({ username, password, name, email }: Person) {
  return { username, password, name, email, scope: ['openid', 'g_profile', ...newScopes], enabled: true };
}

function registrationOf({ id, secret }: Realm['client'], nightkeep: URL) {
  return {
    client_id: id,
    client_secret: secret,
    name: 'Nightkeep',
    confidential: true,
    redirect_uri: [new URL('callback', nightkeep).href],
    // Only a client that may have tokens of its own may also revoke and introspect them.
    authorization_type: ['code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: ['client_secret_basic'],
    scope: [],
    source: 'database',
    enabled: true,
  };
}

/** What the page for signing in asks the server by its scripts: who it is, and which scopes the client gets. */
function pagesOf(address: string, clientId: string, { username, password }: Person): AnswerPage {
  return async (browser, page: Page, { willing, asked }) => {
    const at = new URL(page.url);
    const next = at.searchParams.get('callback_url');
    if (!page.url.startsWith(`${address}/login.html`) || next === null) return undefined;
    const { status } = await browser.fetch(`${address}/api/profile_list`, { method: 'GET' });
    if (status !== 200) {
      asked('password');
      const signedIn = await browser.fetch(`${address}/api/auth/`, { method: 'POST', json: { username, password } });
      if (signedIn.status !== 200) return undefined;
    }
    const scope = new URL(next).searchParams.get('scope') ?? '';
    asked('consent');
    await browser.fetch(`${address}/api/auth/grant/${clientId}`, {
      method: 'PUT',
      json: { scope: willing ? scope : '' },
    });
    return browser.open(`${next}&g_continue`);
  };
}
