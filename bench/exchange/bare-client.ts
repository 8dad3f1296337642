import { Pool } from 'undici';
import { inLanes, warmUp } from './lanes.ts';
import type { ProviderProcess } from './provider-process.ts';

/** Refreshes per second of a client that does nothing else, one token after the other in each lane. Changes the tokens in place. */
export async function bareRefreshes(
  provider: ProviderProcess,
  tokens: { token: string }[],
  { lanes, ms }: { lanes: number; ms: number },
): Promise<number> {
  const discovery = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const { token_endpoint: endpoint } = (await discovery.json()) as { token_endpoint: string };
  const { origin, pathname } = new URL(endpoint);
  const pool = new Pool(origin, { connections: lanes, pipelining: 1 });
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
  await inLanes(tokens, lanes, refresh, (count) => count >= warmUp);
  const begin = performance.now();
  const count = await inLanes(tokens, lanes, refresh, () => performance.now() - begin >= ms);
  const elapsed = performance.now() - begin;
  await pool.close();
  return (count / elapsed) * 1000;
}
