import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Ranges that are not for hosts on the internet (IANA special-purpose registries, RFC 6890), cloud metadata among them. */
const special = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // The platform of Azure, as its virtual machines see it.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, prefix, 'ipv4');
// Of IPv6 only global unicast counts as public, without what tunnels to IPv4 addresses, and documentation.
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Whether this is the IP address of a host on the internet: not private, loopback, link-local or set aside otherwise. */
export function isPublicAddress(ip: string): boolean {
  const family = isIP(ip);
  if (family === 4) return !special.check(ip, 'ipv4');
  return family === 6 && globalUnicast.check(ip, 'ipv6') && !special.check(ip, 'ipv6');
}

/** Where an address lies: on the internet, in a network of its own (RFC 1918, 6598, 4193), on this machine, or set aside for anything else. */
export type Reach = 'internet' | 'private' | 'machine' | 'special';

const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv4');
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
const machine = new BlockList();
machine.addSubnet('127.0.0.0', 8, 'ipv4');
machine.addAddress('::1', 'ipv6');

/** Cloud metadata within networks that are otherwise private: of Amazon, Google and Alibaba. */
const metadata = new BlockList();
metadata.addAddress('fd00:ec2::254', 'ipv6');
metadata.addAddress('fd20:ce::254', 'ipv6');
metadata.addAddress('100.100.100.200', 'ipv4');

/** Where an IP address lies. */
export function reachOf(ip: string): Reach {
  if (isPublicAddress(ip)) return 'internet';
  const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
  if (metadata.check(ip, family)) return 'special';
  if (machine.check(ip, family)) return 'machine';
  return privateNetworks.check(ip, family) ? 'private' : 'special';
}

/** Looks up all addresses of a name, as `node:dns` does. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for connections, which fails with what `refuse` finds against the addresses of a name. What was looked at is what is connected
 * to, so a name that stands for another address a moment later gains nothing.
 */
export function checkedLookup(
  lookup: LookupAll,
  refuse: (hostname: string, addresses: readonly string[]) => Promise<Error | undefined>,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) return callback(error ?? new Error('The name has no address.'), []);
      const answer = (refusal: Error | undefined) => {
        if (refusal !== undefined) callback(refusal, []);
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      };
      refuse(
        hostname,
        addresses.map(({ address }) => address),
      ).then(answer, answer);
    });
  };
}
