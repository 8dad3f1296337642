import { Pool } from 'undici';
import { inLanes, warmUp } from './lanes.ts';
import type { ProviderProcess } from './provider-process.ts';

/** A client that refreshes and does nothing else. */
export interface BareClient extends AsyncDisposable {
  /** Refreshes per second with the first so many tokens, one after the other in each lane. */
  refresh(tokens: number, options: { lanes: number; ms: number }): Promise<number>;
}

/** Opens the client, with as many connections as it has lanes at most, and warms it up. Changes the tokens in place. */
export async function openBareClient(
  provider: ProviderProcess,
  tokens: { token: string }[],
  connections: number,
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
  await inLanes(tokens, connections, refresh, (count) => count >= warmUp);
  return {
    refresh: async (count, { lanes, ms }) => {
      const begin = performance.now();
      const done = await inLanes(tokens.slice(0, count), lanes, refresh, () => performance.now() - begin >= ms);
      return (done / (performance.now() - begin)) * 1000;
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
