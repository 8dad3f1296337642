import { type BlockList, isIP, isIPv4 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** What a request says of who asks. */
export interface Asking {
  /** The other end of the connection; empty where there is none. */
  readonly peer: string;
  /** `X-Forwarded-For`: what each proxy on the way says of the one before, the nearest last. */
  readonly forwardedFor: string | undefined;
}

/** Reads both from a request; without a connection (in tests) the peer is empty. */
export function askingOf(c: Context): Asking {
  const { incoming }: Partial<HttpBindings> = c.env ?? {};
  return { peer: incoming?.socket.remoteAddress ?? '', forwardedFor: c.req.header('x-forwarded-for') };
}

/**
 * The address of who asks: the nearest one that is not of our proxies, and whether a proxy named it. Only our proxies are believed when they
 * name another address.
 */
export function clientAddress(
  { peer, forwardedFor = '' }: Asking,
  proxies: BlockList,
): { address: string; isForwarded: boolean } {
  let address = plain(peer);
  let isForwarded = false;
  for (const hop of forwardedFor.split(',').reverse()) {
    const before = plain(hop);
    if (isIP(before) === 0 || !isWithin(proxies, address)) break;
    address = before;
    isForwarded = true;
  }
  return { address, isForwarded };
}

/** What is counted as one: an IPv4 address, or the network of 64 bits that an IPv6 address is in, since whoever has one has all of these. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Whether the address is in one of the networks; what is not an IP address never is. */
export function isWithin(networks: BlockList, address: string): boolean {
  return isIP(address) !== 0 && networks.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

/** The address without a port; an IPv4 address that is mapped into IPv6 becomes plain IPv4. */
function plain(text: string): string {
  const [, bracketed] = /^\[(.+)\](?::\d+)?$/.exec(text.trim()) ?? [];
  const address = (bracketed ?? text).trim().replace(/^::ffff:(?=[\d.]+$)/i, '');
  const [, withoutPort = address] = /^([\d.]+):\d+$/.exec(address) ?? [];
  return isIPv4(withoutPort) ? withoutPort : address;
}
