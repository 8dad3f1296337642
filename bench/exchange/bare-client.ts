import { Pool } from 'undici';
import { repeatAtOnce } from './concurrency.ts';
import type { ProviderProcess } from './provider-process.ts';

/** A client that refreshes and does nothing else. */
export interface BareClient extends AsyncDisposable {
  /** Refreshes the first `tokens` tokens in turn, as many at once as named, and answers the refreshes per second. */
  refresh(tokens: number, options: { atOnce: number; ms: number }): Promise<number>;
}

/** Opens the client with a connection for each refresh that is made at once, and warms it up by so many. Changes the tokens in place. */
export async function openBareClient(
  provider: ProviderProcess,
  tokens: { token: string }[],
  { connections, warmUp }: { connections: number; warmUp: number },
): Promise<BareClient> {
  const discovery = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const { token_endpoint: endpoint } = (await discovery.json()) as { token_endpoint: string };
  const { origin, pathname } = new URL(endpoint);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const basic = `Basic ${Buffer.from(`${encodeURIComponent(provider.clientId)}:${new URLSearchParams({ s: provider.secret }).toString().slice(2)}`).toString('base64')}`;
  const headers = { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' };
  const refresh = async (mine: { token: string }) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: mine.token }).toString();
    const answer = await pool.request({ path: pathname, method: 'POST', headers, body });
    const json = (await answer.body.json()) as { refresh_token?: string };
    if (answer.statusCode !== 200 || json.refresh_token === undefined)
      throw new Error(`The provider refused: ${answer.statusCode}`);
    mine.token = json.refresh_token;
  };
  await repeatAtOnce(tokens, connections, refresh, (count) => count >= warmUp);
  return {
    refresh: async (count, { atOnce, ms }) => {
      const begin = performance.now();
      const done = await repeatAtOnce(tokens.slice(0, count), atOnce, refresh, () => performance.now() - begin >= ms);
      return (done / (performance.now() - begin)) * 1000;
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
