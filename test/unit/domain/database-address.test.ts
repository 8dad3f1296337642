import { expect, test } from 'vitest';
import { addressesOfServers, wantedServer } from '../../../src/domain/database-address.ts';

test.each([
  ['postgres://u:p@one:5432,two:5433/db', ['postgres://u:p@one:5432/db', 'postgres://u:p@two:5433/db']],
  ['postgresql://one,two', ['postgresql://one', 'postgresql://two']],
  [
    'postgres://u:p,q@one:1,two:2/db?target_session_attrs=read-write&sslmode=require',
    ['postgres://u:p,q@one:1/db?sslmode=require', 'postgres://u:p,q@two:2/db?sslmode=require'],
  ],
  [
    'postgres://one,two/db?sslmode=require&target_session_attrs=primary',
    ['postgres://one/db?sslmode=require', 'postgres://two/db?sslmode=require'],
  ],
  ['postgres://one,two/db?target_session_attrs=read-write', ['postgres://one/db', 'postgres://two/db']],
])('%s names several servers', (text, addresses) => {
  expect(addressesOfServers(text)).toEqual(addresses);
});

test.each([
  'postgres://u:p@one:5432/db',
  'postgres://u:p,q@one/db',
  'postgres://one/a,b',
  'postgres://one/db?options=-c%20a=1,2',
])('%s names one server, and stays as it is', (text) => {
  expect(addressesOfServers(text)).toEqual([text]);
});

test('which server is wanted stands among the parameters', () => {
  expect(wantedServer('postgres://one,two/db?a=b&target_session_attrs=read-write')).toBe('read-write');
  expect(wantedServer('postgres://one,two/db')).toBeUndefined();
});
