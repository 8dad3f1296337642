import { lookup as systemLookup } from 'node:dns';
import { type BlockList, isIP, isIPv6 } from 'node:net';
import type { ServerMetadata } from 'openid-client';
import { Agent, type Dispatcher, fetch, type RequestInit, type Response } from 'undici';
import { checkedLookup, type LookupAll, type Reach, reachOf } from '../domain/network-address.ts';
import { AppError } from '../errors.ts';

/** Which hosts are asked when a provider names them as its own. */
export interface ProviderHosts {
  readonly dispatcher: Dispatcher;
  /** Throws `ProviderAddressRefused` for an address that is not asked, as far as it can be told before its name is looked up. */
  check(url: string | URL): Promise<void>;
}

/** Nothing was sent: what the provider names lies where it is not asked. */
export class ProviderAddressRefused extends Error {
  readonly code = 'ERR_PROVIDER_ADDRESS';

  constructor(host: string) {
    super(
      `The provider sends Nightkeep to ${host}, which is not on the internet, while its issuer is elsewhere; nothing was sent there. If it is right, OIDC_NETWORKS can allow its network.`,
    );
  }
}

/** What of a failure is such a refusal; undefined for any other. */
export function refusedAddressIn(error: unknown): ProviderAddressRefused | undefined {
  for (let link = error; link instanceof Error; link = link.cause)
    if (link instanceof ProviderAddressRefused) return link;
  return undefined;
}

interface HostsOptions {
  /** Networks besides the internet that may be asked. */
  inside?: BlockList | undefined;
  lookup?: LookupAll;
}

/**
 * The host of the issuer, which the operator named, wherever it is; besides, hosts on the internet, of networks that `inside` names, and no further
 * inside than the issuer: in private networks where it is in one or on this machine, on this machine where it is. Of other
 * addresses, such as those of cloud metadata, none. Looked at when a connection is made, after the name was looked up.
 */
export function openProviderHosts(issuer: URL, { inside, lookup = systemLookup }: HostsOptions = {}): ProviderHosts {
  const reachOfIssuer = () =>
    new Promise<ReadonlySet<Reach>>((resolve) => {
      const host = bare(issuer.hostname);
      if (isIP(host) !== 0) return resolve(new Set([reachOf(host)]));
      lookup(host, { all: true }, (error, addresses) =>
        resolve(new Set(error === null ? addresses.map(({ address }) => reachOf(address)) : [])),
      );
    });
  const refuse = async (host: string, addresses: readonly string[]) => {
    if (host === bare(issuer.hostname)) return undefined;
    const outside = addresses.filter((ip) => !inside?.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4'));
    const reaches = new Set(outside.map(reachOf));
    if ([...reaches].every((reach) => reach === 'internet')) return undefined;
    const own = await reachOfIssuer();
    const isAllowed = (reach: Reach) =>
      reach === 'internet' ||
      (reach === 'private' && (own.has('private') || own.has('machine'))) ||
      (reach === 'machine' && own.has('machine'));
    return [...reaches].every(isAllowed) ? undefined : new ProviderAddressRefused(host);
  };
  return {
    dispatcher: new Agent({ ...freshConnections, allowH2: false, connect: { lookup: checkedLookup(lookup, refuse) } }),
    check: async (url) => {
      const host = bare(new URL(url).hostname);
      const refusal = isIP(host) === 0 ? undefined : await refuse(host, [host]);
      if (refusal !== undefined) throw refusal;
    },
  };
}

/**
 * A connection that was idle for longer is closed, however long the provider would keep it: on one that the provider, or something in
 * between, is closing at that moment, a token that may be used once would be lost with its answer.
 */
const freshConnections = { keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 };

/** Sends a request where these allow it; redirects are not followed. Throws `ProviderAddressRefused`, and what a fetch throws. */
export async function fetchThrough(
  { check, dispatcher }: ProviderHosts,
  url: string,
  request: RequestInit = {},
): Promise<Response> {
  await check(url);
  return fetch(url, { ...request, redirect: 'manual', dispatcher });
}

const asked = [
  ...['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'introspection_endpoint'],
  ...['revocation_endpoint', 'jwks_uri', 'device_authorization_endpoint', 'pushed_authorization_request_endpoint'],
] as const;

/**
 * Throws `provider/wrong-answer` where an address that the provider publishes is no https address, or http one where the issuer is, or carries a
 * user.
 */
export function requireProviderAddresses(issuer: URL, metadata: ServerMetadata): void {
  for (const name of asked) {
    const value = metadata[name];
    if (value === undefined) continue;
    const url = typeof value === 'string' ? URL.parse(value) : null;
    const schemes = issuer.protocol === 'http:' ? ['https:', 'http:'] : ['https:'];
    if (url !== null && schemes.includes(url.protocol) && url.username === '' && url.password === '') continue;
    const told = url === null ? 'no address' : `${url.protocol}//${url.host}`;
    throw new AppError(
      'provider/wrong-answer',
      `The provider publishes ${told} as its ${name}; nothing is sent there. It must be an https address, or http if OIDC_ISSUER is, without a user.`,
    );
  }
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
