import { X509Certificate } from 'node:crypto';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { type ChannelAddress, channelKinds, operatorNotices, parseChannel } from '../domain/channels.ts';
import { addressesOfServers, wantedServer } from '../domain/database-address.ts';
import { isValidZone } from '../domain/nights.ts';
import type { Rate } from '../domain/rate.ts';
import { isEmpty, parseRule, type RetentionRule } from '../domain/retention/rule.ts';
import { parseStoreAddress, type StoreAddress } from '../domain/store-address.ts';
import type { StoreKey } from '../domain/store-key.ts';
import { originOf, urlOfPerson } from '../domain/url-template.ts';
import { dayMs, hourMs, minuteMs } from '../durations.ts';
import { isAppError } from '../errors.ts';
import { invalid } from './invalid.ts';

/** What the text of a setting means; throws `config/invalid` with the name and the cure. */
export type Reader<T> = (text: string, name: string) => T;

/** Any text, unchanged. */
export const asWritten: Reader<string> = (text) => text;

const certificateShape = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Certificates in PEM, one or several, as they are written. */
export const certificates: Reader<string> = (text, name) => {
  const found = text.match(certificateShape) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return text;
  throw invalid(name, `holds no certificates in PEM: write them as they are, or name their file in ${name}_FILE`);
};

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}

/** Long enough not to be guessed, of the characters that a header may carry (RFC 6750, section 2.1). */
export const bearerToken: Reader<string> = (text, name) => {
  if (/^[\w.~+/-]{32,}=*$/.test(text)) return text;
  throw invalid(name, 'must be 32 letters, digits or -._~+/ at least: make one with `openssl rand -hex 32`');
};

/** One address, with or without a name: `Nightkeep <nightkeep@example.org>`. */
export const mailAddress: Reader<string> = (text, name) => {
  if (/^([^<>\r\n]*<[^\s<>@,]+@[^\s<>@,]+>|[^\s<>@,]+@[^\s<>@,]+)$/.test(text)) return text;
  throw invalid(name, 'is not one mail address: write it as name@example.org or Name <name@example.org>');
};

/** Words separated by white space. */
export const words: Reader<string[]> = (text) => text.split(/\s+/).filter(Boolean);

/** Lines without the white space around them; empty ones are left out. */
export const lines: Reader<string[]> = (text) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);

/** Addresses of channels, one a line, each with the kinds of message it gets. The address is a secret, so no error quotes it. */
export const channels: Reader<ChannelAddress[]> = (text, name) =>
  lines(text, name).map((line, index) => {
    const channel = parseChannel(line);
    if (channel !== undefined) return channel;
    const kinds = Object.keys(channelKinds).join(', ');
    const notices = operatorNotices.join(', ');
    throw invalid(
      name,
      `has no usable address in line ${index + 1}: write it as ntfy+https://…; there are ${kinds}. To limit what it is told, list any of these after it: ${notices}; for healthchecks and kuma only the last two`,
    );
  });

/** Addresses and networks (`10.1.0.0/16`), as one list to ask of an address whether it is among them. */
export const networks: Reader<BlockList> = (text, name) => {
  const list = new BlockList();
  for (const word of words(text, name)) {
    const [address = '', length, ...more] = word.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const longest = family === 'ipv6' ? 128 : 32;
    const bits = length === undefined ? longest : Number(length);
    if (isIP(address) === 0 || more.length > 0 || !/^\d+$/.test(length ?? '0') || bits > longest)
      throw invalid(name, `holds "${word}", which is no address: write it as 127.0.0.1 ::1 10.1.0.0/16`);
    list.addSubnet(address, bits, family);
  }
  return list;
};

function isEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

/** Headers as OpenTelemetry writes them: `name=value,name=value`, values percent-encoded. */
export const headers: Reader<Record<string, string>> = (text, name) => {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  const entries = pairs.map((pair): [string, string] => {
    const [, header = '', value = ''] = /^\s*([\w-]+)\s*=\s*((?:[!-$&-~]|%[\da-f]{2})*)\s*$/i.exec(pair) ?? [];
    if (header === '' || !isEncoded(value))
      throw invalid(name, 'is not usable: write it as name=value,name=value, values percent-encoded');
    return [header, decodeURIComponent(value)];
  });
  return Object.fromEntries(entries);
};

/** Undefined where nothing is set. */
export function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (text, name) => (text === '' ? undefined : read(text, name));
}

/** A URL with one of these protocols. */
export function address(...protocols: readonly string[]): Reader<URL> {
  return (text, name) => {
    const beginnings = protocols.map((protocol) => `${protocol}//`);
    const begins = beginnings.some((beginning) => text.trimStart().toLowerCase().startsWith(beginning));
    const parsed = URL.parse(text);
    if (parsed !== null && begins) return parsed;
    const cure = begins ? encoded : `it must begin with ${beginnings.join(' or ')}`;
    throw invalid(name, `is not a usable address: ${cure}`);
  };
}

const webAddress = address('http:', 'https:');

/** The address of a provider, as it is in its tokens (OpenID Connect Core, section 2). It is shown, so it holds no password. */
export const issuer: Reader<URL> = (text, name) => {
  const url = webAddress(text, name);
  if (url.username + url.password + url.search + url.hash === '') return url;
  throw invalid(
    name,
    'is not an issuer: write it as https://keycloak.example/realms/people, without user name, query or fragment',
  );
};

const encoded =
  'an IPv6 address stands in brackets, as [::1], a port is a number up to 65535, and what is neither letter nor digit of a user name or password is percent-encoded, as %23 for #, %2F for / and %40 for @';

/** A name or an address of this machine; one of IPv6 also in brackets, as in a URL. */
export const host: Reader<string> = (text, name) => {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(bare) !== 0 || /^[\w.-]+$/.test(bare)) return bare;
  throw invalid(name, `is "${text}": write it as an address or a name alone, such as 0.0.0.0, :: or localhost`);
};

/** Schemes, hosts and ports, as `https://files.example` or `imaps://imap.example`. */
export const origins: Reader<string[]> = (text, name) =>
  words(text, name).map((word) => {
    if (/^imaps?:/i.test(word)) return originOfMail(word, name);
    const { origin, href } = address('http:', 'https:')(word, name);
    if (href === `${origin}/`) return origin;
    throw invalid(name, `holds "${word}", which is more than an origin: write it as https://files.example`);
  });

function originOfMail(word: string, name: string): string {
  const { username, password, pathname, search, hash } = address('imap:', 'imaps:')(word, name);
  if (username + password + search + hash === '' && /^\/?$/.test(pathname)) return originOf(word);
  throw invalid(name, `holds "${word}", which is more than an origin: write it as imaps://imap.example`);
}

/** Left as written: a parsed one would encode what drivers expect raw. */
export function serviceAddress(...protocols: readonly string[]): Reader<string> {
  const read = address(...protocols);
  return (text, name) => {
    read(text, name);
    return text;
  };
}

/** The path of an address of Redis can only be the number of a database. */
export const redisAddress: Reader<string> = (text, name) => {
  const { pathname } = address('redis:', 'rediss:')(text, name);
  if (/^\/?\d*$/.test(pathname)) return text;
  throw invalid(name, 'has a path that is no number of a database: write it as redis://127.0.0.1:6379 or …/2');
};

/** The address of one PostgreSQL server or of several (`addressesOfServers`), as it is written. */
export const databaseAddress: Reader<string> = (text, name) => {
  const read = address('postgres:', 'postgresql:');
  for (const server of addressesOfServers(text)) read(server, name);
  const wanted = wantedServer(text);
  if (wanted === undefined || ['read-write', 'primary'].includes(wanted)) return text;
  throw invalid(name, 'names servers that accept no writes: target_session_attrs can only be read-write or primary');
};

/** A web address with claims in braces. */
export const addressOfPerson: Reader<string> = (text, name) => {
  webAddress(text.replace(/\{\w+\}/g, 'x'), name);
  return filledIn(
    text,
    name,
    'is not a usable address: claims may stand in its path only, and it has no user name, query or fragment',
  );
};

const imapAddress = address('imap:', 'imaps:');

/** An address of a person at a mail server, with claims in braces. */
export const mailboxAddress: Reader<string> = (text, name) => {
  imapAddress(text.replace(/\{\w+\}/g, 'x'), name);
  return filledIn(
    text,
    name,
    'is not a usable address: write it as imaps://{preferred_username}@imap.example.org, with claims in front of the @ only, and without password, path or query',
  );
};

function filledIn(text: string, name: string, cure: string): string {
  const claims = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, claim]) => [claim, 'x']);
  try {
    urlOfPerson(text, { subject: 'x', claims: Object.fromEntries(claims) });
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw invalid(name, cure);
  }
  return text;
}

/** Where repositories are kept. */
export const storeAddress: Reader<StoreAddress> = (text, name) => orInvalid(name, () => parseStoreAddress(text));

/** Keys of stores on servers, one a line: `ID SECRET`, or `ONLY ID SECRET` for one bucket or host alone. */
export const storeKeys: Reader<StoreKey[]> = (text, name) =>
  lines(text, name).map((line) => {
    const [secret, id, only, ...more] = line.split(/\s+/).toReversed();
    if (secret === undefined || id === undefined || more.length > 0)
      throw invalid(
        name,
        'has a line that is no key: write it as ID SECRET or BUCKET ID SECRET, of a REST store as USER PASSWORD or HOST:PORT USER PASSWORD',
      );
    return { ...(only !== undefined && { only }), id, secret };
  });

/** Reads with a function of the domain, whose RangeError says how the setting should be written. */
function orInvalid<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw invalid(name, error.message);
    throw error;
  }
}

/** A whole number within these bounds. */
export function whole(least: number, most: number): Reader<number> {
  return (text, name) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw invalid(name, `is "${text}": it must be a whole number from ${least} to ${most}`);
  };
}

/** The word `auto`, or what the reader reads. */
export function orAuto<T>(read: Reader<T>): Reader<T | 'auto'> {
  return (text, name) => (text === 'auto' ? text : read(text, name));
}

const unitMs: Record<string, number> = { d: dayMs, h: hourMs, m: minuteMs, s: 1_000 };
const longest = '36500d';

/** Days, hours, minutes or seconds, in milliseconds. */
export const duration: Reader<number> = (text, name) => {
  const ms = msOf(text);
  if (ms === undefined) throw invalid(name, `is "${text}": write it as 30d, 12h, 30m or 90s`);
  if (ms > 0 && ms <= (msOf(longest) ?? 0)) return ms;
  throw invalid(name, `is "${text}": it must be from 1s to ${longest}`);
};

/** However many; undefined where it is written otherwise. */
function msOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+)([dhms])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (unitMs[unit] ?? Number.NaN);
}

/** The same, and no less than `least`. */
export function durationFrom(least: string): Reader<number> {
  return (text, name) => {
    const ms = duration(text, name);
    if (ms >= duration(least, name)) return ms;
    throw invalid(name, `is "${text}": it must be at least ${least}`);
  };
}

const unitBytes: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes, or KiB, MiB, GiB with k, m, g behind the number, from `least` to `most` of them; in bytes. */
export function size(least: string, most: string): Reader<number> {
  const bytesOf = (text: string) => {
    const [, count, unit = ''] = /^(\d{1,9})([kmg]?)$/.exec(text) ?? [];
    return Number(count) * (unitBytes[unit] ?? Number.NaN);
  };
  return (text, name) => {
    const bytes = bytesOf(text);
    if (bytes >= bytesOf(least) && bytes <= bytesOf(most)) return bytes;
    throw invalid(name, `is "${text}": write it as 900k, 16m or 2g, from ${least} to ${most}`);
  };
}

/** A count per time, as `60/1m`; undefined for `off`. */
export const rate: Reader<Rate | undefined> = (text, name) => {
  if (text === 'off') return undefined;
  const [, digits, span = ''] = /^(\d+)\/(\w+)$/.exec(text) ?? [];
  const [count, spanMs] = [Number(digits), msOf(span)];
  if (digits === undefined || spanMs === undefined)
    throw invalid(name, `is "${text}": write it as 60/1m or 20/1h, or off`);
  if (count > 0 && count <= mostAtOnce && spanMs > 0 && spanMs <= longestRateMs) return { count, spanMs };
  throw invalid(name, `is "${text}": its number must be from 1 to ${mostAtOnce}, and its time from 1s to 1d`);
};

const mostAtOnce = 999_999;
const longestRateMs = dayMs;

/** One of these words. */
export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (text, name) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw invalid(name, `is "${text}": it must be one of ${choices.join(', ')}`);
  };
}

/** Two times of the day, as `01:00-05:00`; the second may be past midnight. */
export const window: Reader<{ start: string; end: string }> = (text, name) => {
  const match = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(text);
  const [, start, end] = match ?? [];
  if (start !== undefined && end !== undefined && start !== end) return { start, end };
  throw invalid(name, `is "${text}": write it as 01:00-05:00`);
};

/** An IANA time zone. */
export const zone: Reader<string> = (text, name) => {
  if (isValidZone(text)) return text;
  throw invalid(name, `is "${text}", which is no IANA time zone: write it as Europe/Berlin`);
};

/** Which snapshots stay. */
export const retention: Reader<RetentionRule> = (text, name) => {
  const rule = orInvalid(name, () => parseRule(text));
  if (!isEmpty(rule) || text.trim() === 'all') return rule;
  // restic forget removes nothing then: whoever writes this may expect the contrary.
  throw invalid(name, `is "${text}": it keeps nothing, and by such a rule nothing is removed; to keep all, write all`);
};
