import { Pool } from 'undici';
import type { ProviderProcess } from './provider-process.ts';

/** Refreshes per second of clients that do nothing else, each with its own token and connection. Changes the tokens in place. */
export async function bareRefreshes(
  provider: ProviderProcess,
  tokens: { token: string }[],
  ms: number,
): Promise<number> {
  const discovery = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const { token_endpoint: endpoint } = (await discovery.json()) as { token_endpoint: string };
  const { origin, pathname } = new URL(endpoint);
  const pool = new Pool(origin, { connections: tokens.length, pipelining: 1 });
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
  await Promise.all(tokens.map(refresh));
  const begin = performance.now();
  let count = 0;
  const lane = async (mine: { token: string }) => {
    while (performance.now() - begin < ms) {
      await refresh(mine);
      count += 1;
    }
  };
  await Promise.all(tokens.map(lane));
  const elapsed = performance.now() - begin;
  await pool.close();
  return (count / elapsed) * 1000;
}
