import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { listInForce } from '../../../src/config/in-force.ts';
import { names } from '../../../src/config/settings.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

afterEach(() => vi.unstubAllEnvs());

const found = (environment: Record<string, string>) =>
  Object.fromEntries(listInForce(environment).map(({ name, ...rest }) => [name, rest]));

test('every setting is listed with its value and where it comes from', async () => {
  await using folder = await temporaryFolder('in-force');
  const file = join(folder.path, 'zone');
  await writeFile(file, 'Europe/Berlin\n');
  vi.stubEnv('PORT', '4000');
  const listed = found({ PORT: '4000', HOST: '0.0.0.0', ZONE_FILE: file, WINDOW: '' });
  expect(Object.keys(listed)).toEqual(names);
  expect(listed).toMatchObject({
    PORT: { value: '4000', from: 'environment' },
    HOST: { value: '0.0.0.0', from: '.env' },
    ZONE: { value: 'Europe/Berlin', from: '.env', file },
    WINDOW: { value: '01:00-05:00', from: 'default' },
    REDIS_URL: { value: null, from: 'default', absent: 'none: the queue is in PostgreSQL' },
  });
});

test('what is wrong is told with its cure', () => {
  expect(found({ PORT: 'x', KEYRING_FILE: '/nowhere' })).toMatchObject({
    PORT: { value: 'x', fault: expect.stringMatching(/^PORT is "x"/) },
    KEYRING: { value: null, file: '/nowhere', fault: expect.stringMatching(/^KEYRING_FILE names \/nowhere/) },
    OIDC_ISSUER: { value: null, from: 'default', fault: expect.stringMatching(/^OIDC_ISSUER is missing/) },
  });
});

test('no secret is shown, neither a whole one nor a password in an address', () => {
  const shown = found({
    KEYRING: 'k1:not-told',
    OIDC_CLIENT_SECRET: 'not-told',
    OIDC_PRIVATE_KEY: 'not-told',
    DATABASE_URL: 'postgres://user:not-told@db.example:5432/nightkeep?password=not-told',
    REDIS_URL: 'redis://:not-told@redis.example/2',
    FILES_URL: 'https://user:not-told@cloud.example/{sub}/',
  });
  expect(JSON.stringify(shown)).not.toContain('not-told');
  expect(shown).toMatchObject({
    KEYRING: { value: '[hidden]' },
    DATABASE_URL: { value: 'postgres://user:[hidden]@db.example:5432/nightkeep?[hidden]' },
    REDIS_URL: { value: 'redis://:[hidden]@redis.example/2' },
  });
  const several = found({ DATABASE_URL: 'postgres://user:not-told@one:5432,two:5433/nightkeep' });
  expect(several.DATABASE_URL).toMatchObject({ value: 'postgres://user:[hidden]@one:5432,two:5433/nightkeep' });
});
