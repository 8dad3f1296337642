import { type Person, people } from '../../../demo/people.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { type ManualClock, manualClock } from '../../support/fixtures/manual-clock.ts';

/** What came back from the token endpoint. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The refresh token, empty where there is none. */
  readonly token: string;
  /** Status, `error` and `error_description` in one line. */
  readonly said: string;
}

/** A realm whose time is in the test's hands, and a client that may ask with passwords. */
export interface TestRealm extends AsyncDisposable {
  readonly provider: DemoProvider;
  readonly clock: ManualClock;
  readonly client: DemoClient;
  /** Time passes. */
  seconds(count: number): Promise<void>;
  ask(parameters: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  /** Signs in for offline access without a browser. */
  login(person?: Pick<Person, 'username' | 'password'>): Promise<string>;
  refresh(token: string): Promise<Answer>;
}

const directClient: DemoClient = {
  id: 'direct',
  name: 'The Direct Client',
  authentication: 'client_secret_post',
  secret: 'direct secret',
  redirectUris: ['http://127.0.0.1/callback'],
  consentRequired: false,
  directAccess: true,
};

const alice = { username: 'alice', password: 'alice' };

export async function openTestRealm(
  options: ProviderOptions['options'] = {},
  more: Partial<Pick<ProviderOptions, 'journal' | 'port'>> & { clock?: ManualClock } = {},
): Promise<TestRealm> {
  const clock = more.clock ?? manualClock('2030-01-01T00:00:00Z');
  const provider = await startProvider({ clients: [directClient], people, options, ...more, clock });
  const ask: TestRealm['ask'] = async (parameters, headers = {}) => {
    const credentials = { client_id: directClient.id, client_secret: directClient.secret ?? '' };
    const body = new URLSearchParams({ ...credentials, ...parameters });
    return readAnswer(await fetch(`${provider.issuer}/token`, { method: 'POST', body, headers }));
  };
  return {
    provider,
    clock,
    client: directClient,
    seconds: (count) => clock.advance(count * 1000),
    ask,
    login: async ({ username, password } = alice) =>
      (await ask({ grant_type: 'password', username, password, scope: 'openid offline_access' })).token,
    refresh: (token) => ask({ grant_type: 'refresh_token', refresh_token: token }),
    [Symbol.asyncDispose]: () => provider.stop(),
  };
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: Record<string, unknown> = text.startsWith('{') ? JSON.parse(text) : {};
  const token = typeof body.refresh_token === 'string' ? body.refresh_token : '';
  const { error, error_description: description } = body;
  const said = [response.status, error, description].filter((part) => part !== undefined).join(' ');
  return { status: response.status, body, token, said };
}
