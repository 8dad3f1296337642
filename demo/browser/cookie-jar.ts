import type { Clock } from '../../src/clock.ts';

/** Cookies as a browser keeps them for loopback hosts: by host name, whatever the port; loopback counts as secure. */
export interface CookieJar {
  /** Takes the Set-Cookie lines of an answer. */
  take(url: URL, lines: readonly string[]): void;
  /** The Cookie header for a request, empty where none is due. */
  header(url: URL): string;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
  readonly expires: number;
}

export function openCookieJar(clock: Clock): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    take: (url, lines) => {
      for (const line of lines) {
        const cookie = parse(url, line, clock.now().getTime());
        cookies.set(`${cookie.host} ${cookie.path} ${cookie.name}`, cookie);
      }
    },
    header: (url) =>
      [...cookies.values()]
        .filter((cookie) => cookie.host === url.hostname && cookie.expires > clock.now().getTime())
        .filter((cookie) => covers(cookie.path, url.pathname))
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
  };
}

function parse(url: URL, line: string, now: number): Cookie {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const split = pair.indexOf('=');
  const attribute = (name: string) =>
    attributes.find((text) => text.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const maxAge = attribute('max-age');
  const expires = attribute('expires');
  return {
    host: url.hostname,
    path: attribute('path') ?? '/',
    name: pair.slice(0, split),
    value: pair.slice(split + 1),
    expires:
      maxAge !== undefined ? now + Number(maxAge) * 1000 : expires ? Date.parse(expires) : Number.POSITIVE_INFINITY,
  };
}

function covers(path: string, asked: string): boolean {
  return asked === path || asked.startsWith(path.endsWith('/') ? path : `${path}/`);
}
