import { expect, test } from 'vitest';
import { isPublicAddress, reachOf } from '../../../src/domain/network-address.ts';

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '192.169.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
])('%s is on the internet', (ip) => expect(isPublicAddress(ip)).toBe(true));

test.each([
  ...[
    '0.0.0.0',
    '10.0.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
  ],
  ...['100.64.0.1', '100.100.100.200', '192.0.0.192', '168.63.129.16', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
  ...['::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:1.1.1.1', '64:ff9b::a00:1', '2002:a00:1::', '2001::1'],
  ...['', 'localhost', '2130706433', '0x7f.1'],
])('%s is not', (ip) => expect(isPublicAddress(ip)).toBe(false));

test.each<readonly [ip: string, reach: string]>([
  ['10.0.0.1', 'private'],
  ['100.100.100.201', 'private'],
  ['fd00::1', 'private'],
  ['127.0.0.1', 'machine'],
  ['::ffff:127.0.0.1', 'machine'],
  ...['169.254.169.254', '100.100.100.200', '::ffff:100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'].map(
    (ip) => [ip, 'special'] as const,
  ),
])('%s is %s: what tells a cloud’s machines who they are is in no private network', (ip, reach) =>
  expect(reachOf(ip)).toBe(reach),
);
