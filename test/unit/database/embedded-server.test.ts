import { expect, test } from 'vitest';
import { wasAnotherRunning } from '../../../src/database/server/embedded-server.ts';

const ended = (said: string) => new Error(`pg_ctl start ended with 1.\nwaiting for server to start....${said}`);

test('a server that found another with the same data is tried again, though that one is gone by then', () => {
  const met = ended(
    '2026-11-28 09:42:05.209 UTC [2119] FATAL:  lock file "postmaster.pid" already exists\n' +
      '2026-11-28 09:42:05.209 UTC [2119] HINT:  Is another postmaster (PID 2078) running in data directory "/d/data"?\n stopped waiting\n',
  );
  expect(wasAnotherRunning(met)).toBe(true);
});

test.each([
  ended('FATAL:  database files are incompatible with server\nDETAIL:  It was initialized by PostgreSQL version 9.'),
  ended('FATAL:  could not open lock file "postmaster.pid": Permission denied'),
  new Error('spawn pg_ctl ENOENT'),
  'no error at all',
])('one that did not start for another reason is not: %s', (error) => {
  expect(wasAnotherRunning(error)).toBe(false);
});
