import { createApp } from '../../../src/web/app.ts';
import type { House } from '../../../src/web/house.ts';

/** Somebody with a cookie jar in front of the pages. */
export function visitor(house: House) {
  const app = createApp(house);
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await app.fetch(new Request(new URL(path, house.publicUrl), { ...init, headers }));
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields), headers });
  const signIn = async () => {
    await send('/login?returnTo=/grant');
    return send('/callback?code=1&state=2');
  };
  const csrf = async () => /name="csrf" value="([^"]+)"/.exec(await (await send('/recovery')).text())?.[1] ?? '';
  return { cookies, csrf, post, send, signIn };
}
