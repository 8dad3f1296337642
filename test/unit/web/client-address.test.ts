import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf } from '../../../src/web/client-address.ts';

const proxies = new BlockList();
proxies.addAddress('127.0.0.1');
proxies.addSubnet('10.0.0.0', 8);
proxies.addSubnet('fd00::', 8, 'ipv6');

describe('who asks', () => {
  it.each<[string, string, string | undefined, string]>([
    ['is the other end of the connection', '203.0.113.7', undefined, '203.0.113.7'],
    ['is whom our proxy names', '127.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['is whom our proxy names over IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['is never whom a stranger names', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['is whom the nearest proxy names, whatever it was told', '127.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['is found behind several proxies of ours', '127.0.0.1', '1.2.3.4, 203.0.113.7, 10.1.2.3,10.9.9.9', '203.0.113.7'],
    ['is our proxy where it names nobody', '10.1.1.1', '', '10.1.1.1'],
    ['is our proxy where it names what is no address', '10.1.1.1', 'unknown', '10.1.1.1'],
    ['is one of us where nobody else is named', '127.0.0.1', '10.1.1.1', '10.1.1.1'],
    ['is an IPv4 address though IPv6 carries it', '::ffff:127.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['is named without a port', '127.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['is named without a port over IPv6', '127.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['is nobody where there is no connection', '', '203.0.113.7', ''],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(clientAddress({ peer, forwardedFor }, proxies).address).toBe(expected);
  });
});

describe('what is counted as one', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
