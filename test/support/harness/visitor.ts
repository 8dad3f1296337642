import type { Resources } from '../../../src/resources.ts';
import { createApp } from '../../../src/web/app.ts';

/** A browser without scripts: it keeps cookies and sends forms. */
export interface Visitor {
  readonly cookies: Map<string, string>;
  send(path: string, init?: RequestInit): Promise<Response>;
  /** What a reader sees of a page. */
  text(path: string): Promise<string>;
  /** The form token of the session. */
  csrf(): Promise<string>;
  /** Sends a form of our own pages; `fields` may name another token. */
  post(path: string, fields?: Fields, headers?: Record<string, string>): Promise<Response>;
}

/** What a form says; a list says the same name several times. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** Opens a browser in front of the pages. */
export function openVisitor(resources: Resources, app = createApp(resources)): Visitor {
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await app.fetch(new Request(new URL(path, resources.config.publicUrl), { ...init, headers }));
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  const csrf = async () => /name="csrf" value="([^"]+)"/.exec(await (await send('/recovery')).text())?.[1] ?? '';
  /** What the form of the page says besides: of what is agreed to, that it was read. */
  const readOf = async (path: string) => {
    const [, read] =
      path === '/consent' ? (/name="read" value="([^"]+)"/.exec(await (await send(path)).text()) ?? []) : [];
    return read === undefined ? {} : { read };
  };
  return {
    cookies,
    send,
    csrf,
    text: async (path) => readable(await (await send(path)).text()),
    post: async (path, fields = {}, headers = {}) =>
      send(path, {
        method: 'POST',
        body: bodyOf({ csrf: await csrf(), ...(await readOf(path)), ...fields }),
        headers,
      }),
  };
}

function bodyOf(fields: Fields): URLSearchParams {
  const pairs = Object.entries(fields).flatMap(([name, said]) =>
    [said].flat().map((value): [string, string] => [name, value]),
  );
  return new URLSearchParams(pairs);
}

function readable(html: string): string {
  return html.replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}
