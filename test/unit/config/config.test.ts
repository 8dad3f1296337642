import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig, readSetting, surveySettings } from '../../../src/config/config.ts';
import type { Environment } from '../../../src/config/environment.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightkeep-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

const good = (): Environment => ({
  DATA_DIR: folder,
  OIDC_ISSUER: 'https://id.example/realms/people',
  OIDC_CLIENT_ID: 'nightkeep',
  OIDC_CLIENT_SECRET: 'not-told',
  FILES_URL: 'https://cloud.example/dav/{preferred_username}/',
});

describe('settings', () => {
  test('have defaults for everything that has a sensible one', () => {
    const config = readConfig(good());
    expect(config).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      store: { kind: 'folder', folder: join(folder, 'store') },
      window: { zone: 'UTC', start: '01:00', end: '05:00' },
      retention: { daily: 7, weekly: 4, monthly: 12 },
      offlineIdleMs: 30 * 86_400_000,
    });
    expect(config.databaseUrl).toBeUndefined();
    expect(config.redisUrl).toBeUndefined();
  });

  test('without a keyring make one, once, for this user only', async () => {
    const first = readConfig(good()).keyring;
    expect(readConfig(good()).keyring).toBe(first);
    expect((await stat(join(folder, 'keyring'))).mode & 0o777).toBe(0o600);
  });

  test('come from files too', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, 'from-a-file\n');
    const { OIDC_CLIENT_SECRET: _, ...rest } = good();
    expect(readConfig({ ...rest, OIDC_CLIENT_SECRET_FILE: file }).provider.secrets).toEqual(['from-a-file']);
  });

  test('of a public client need no secret, and bind tokens to a key where the provider offers it', () => {
    const { OIDC_CLIENT_SECRET: _, ...rest } = good();
    const { provider } = readConfig({ ...rest, OIDC_CLIENT_AUTH: 'none' });
    expect(provider).toMatchObject({ authentication: 'none', secrets: [], dpop: 'auto' });
  });

  test('of sizes are bytes, KiB, MiB or GiB', () => {
    const read = (text: string) => readConfig({ ...good(), PROVIDER_ANSWER_BYTES: text }).provider.answerBytes;
    expect(['65536', '64k', '64m', ''].map(read)).toEqual([65_536, 65_536, 67_108_864, 1_048_576]);
  });

  test.each([
    ['all', {}],
    ['daily=0,weekly=4', { daily: 0, weekly: 4 }],
    ['daily=0,tag=keep', { daily: 0, tags: ['keep'] }],
  ])('take %s for which snapshots stay', (text, rule) =>
    expect(readConfig({ ...good(), RETENTION: text }).retention).toEqual(rule),
  );

  test('hold several secrets, one a line', () => {
    const { provider } = readConfig({ ...good(), OIDC_CLIENT_SECRET: 'next\n old \n\n' });
    expect(provider.secrets).toEqual(['next', 'old']);
  });

  const wrong: [Environment, RegExp][] = [
    [{ OIDC_DPOP: 'on' }, /^OIDC_DPOP is "on": it must be one of auto, off, required/],
    [{ OIDC_ISSUER: '' }, /^OIDC_ISSUER is missing: Issuer URL/],
    [
      { FILES_URL: 'https://{sub}.cloud.example/' },
      /^FILES_URL is not a usable address: claims may stand in its path only/,
    ],
    [{ FILES_URL: 'https://cloud.example/{sub}/?x=1' }, /^FILES_URL is not a usable address: .+ no user name, query/],
    [
      { CALENDARS_URL: 'https://{sub}.cloud.example/' },
      /^CALENDARS_URL is not a usable address: claims may stand in its path only/,
    ],
    [
      { CONTACTS_URL: 'cloud.example' },
      /^CONTACTS_URL is not a usable address: it must begin with http:\/\/ or https:\/\//,
    ],
    [
      { MAIL_URL: 'https://mail.example/' },
      /^MAIL_URL is not a usable address: it must begin with imap:\/\/ or imaps:\/\//,
    ],
    [{ MAIL_URL: 'imaps://imap.example' }, /^MAIL_URL is not a usable address: write it as imaps:/],
    [{ MAIL_URL: 'imaps://x@{sub}.example' }, /^MAIL_URL is not a usable address: write it as imaps:/],
    [{ MAIL_URL: 'imaps://{sub}:pw@imap.example' }, /^MAIL_URL is not a usable address: write it as imaps:/],
    [{ MAIL_URL: 'imaps://{sub}@imap.example/INBOX' }, /^MAIL_URL is not a usable address: write it as imaps:/],
    [
      { FILES_ORIGINS: 'imaps://x@imap.example' },
      /^FILES_ORIGINS holds "imaps:\/\/x@imap.example", which is more than/,
    ],
    [{ FILES_URL: 'imaps://{sub}@imap.example' }, /^FILES_URL is not a usable address: it must begin with http/],
    [{ FILES_URL: 'cloud.example' }, /^FILES_URL is not a usable address: it must begin with http:\/\/ or https:\/\//],
    [{ OIDC_CLIENT_SECRET: '' }, /^OIDC_CLIENT_SECRET is missing: client_secret_basic needs it/],
    [{ OIDC_CLIENT_SECRET_FILE: '/nowhere' }, /^OIDC_CLIENT_SECRET is set twice/],
    [{ OIDC_CLIENT_AUTH: 'basic' }, /^OIDC_CLIENT_AUTH is "basic": it must be one of client_secret_basic/],
    [{ OIDC_CLIENT_AUTH: 'private_key_jwt' }, /^OIDC_PRIVATE_KEY is missing/],
    [{ KEYRING_FILE: '/nowhere/keyring' }, /^KEYRING_FILE names \/nowhere\/keyring, which cannot be read/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL is not a usable address: it must begin with postgres:\/\//],
    [{ DATABASE_URL: 'postgres://one:5432,:x/nightkeep' }, /^DATABASE_URL is not a usable address/],
    [
      { DATABASE_URL: 'postgres://one,two/nightkeep?target_session_attrs=standby' },
      /^DATABASE_URL names servers that accept no writes/,
    ],
    [{ REDIS_URL: 'localhost:6379' }, /^REDIS_URL is not a usable address/],
    [{ REDIS_URL: 'redis:6379' }, /^REDIS_URL is not a usable address: it must begin with redis:\/\/ or rediss:\/\//],
    [{ REDIS_URL: 'redis://127.0.0.1/queue' }, /^REDIS_URL has a path that is no number/],
    [
      { REDIS_URL: 'redis://:pa#ss@127.0.0.1' },
      /^REDIS_URL is not a usable address: an IPv6 .* percent-encoded, as %23/,
    ],
    [{ DATABASE_URL: 'postgres://u:pa/ss@db:5432/n' }, /^DATABASE_URL is not a usable address: .* percent-encoded/],
    [{ DATABASE_URL: 'postgres://u:p@::1:5432/n' }, /^DATABASE_URL is not a usable address: an IPv6 address stands in/],
    [{ OIDC_CLIENT_ID: ' \t' }, /^OIDC_CLIENT_ID is missing/],
    [
      { OIDC_ISSUER: 'https://id.example/realms/people?x=1' },
      /^OIDC_ISSUER is not an issuer: .*without user name, query/,
    ],
    [{ OIDC_ISSUER: 'https://id.example/realms/people#x' }, /^OIDC_ISSUER is not an issuer/],
    [{ OIDC_ISSUER: 'https://somebody:secret@id.example/' }, /^OIDC_ISSUER is not an issuer: (?!.*secret)/],
    [{ OIDC_ISSUER: 'https://id.example:99999/' }, /^OIDC_ISSUER is not a usable address: .* a port is a number up to/],
    [{ HOST: 'http://0.0.0.0' }, /^HOST is "http:\/\/0\.0\.0\.0": write it as an address or a name alone/],
    [
      { STORE_URL: 'ftp://bucket' },
      /^STORE_URL is not a usable address: it must begin with file:\/\/, s3:\/\/ or rest:/,
    ],
    [{ STORE_URL: 's3://bucket' }, /^STORE_KEYS has no key for the bucket bucket: add a line/],
    [
      { STORE_URL: 'rest:https://keeper@rest.example/' },
      /^STORE_KEYS has no password for keeper at rest\.example: add a line/,
    ],
    [{ STORE_URL: 's3://bucket', STORE_KEYS: 'alone' }, /^STORE_KEYS has a line that is no key: write it as ID SECRET/],
    [{ PORT: '99999' }, /^PORT is "99999": it must be a whole number from 0 to 65535/],
    [{ WINDOW: '1-5' }, /^WINDOW is "1-5": write it as 01:00-05:00/],
    [{ ZONE: 'Mars/Olympus' }, /^ZONE is "Mars\/Olympus", which is no IANA time zone/],
    [{ RETENTION: 'daily' }, /^RETENTION has "daily": write it as/],
    [{ PROVIDER_ANSWER_BYTES: '1mb' }, /^PROVIDER_ANSWER_BYTES is "1mb": write it as 900k, 16m or 2g, from 64k to 64m/],
    [{ PROVIDER_ANSWER_BYTES: '65535' }, /^PROVIDER_ANSWER_BYTES is "65535": /],
    [{ PROVIDER_ANSWER_BYTES: '65m' }, /^PROVIDER_ANSWER_BYTES is "65m": /],
    [{ OFFLINE_IDLE: '99999d' }, /^OFFLINE_IDLE is "99999d": it must be from 1s to 36500d/],
    [{ RUN_TIME: '0s' }, /^RUN_TIME is "0s": it must be from 1s to 36500d/],
    [
      { RATE_RUNS: '60/99999d' },
      /^RATE_RUNS is "60\/99999d": its number must be from 1 to 999999, and its time from 1s to 1d/,
    ],
    [{ RATE_RUNS: '0/1m' }, /^RATE_RUNS is "0\/1m": its number must be from 1/],
    [{ RETENTION: 'daily=99999' }, /^RETENTION has "daily=99999": .*numbers up to 9999/],
    [{ RETENTION: 'daily=0' }, /^RETENTION is "daily=0": it keeps nothing, .* write all/],
    [{ RETENTION: 'daily=0,weekly=0' }, /^RETENTION is "daily=0,weekly=0": it keeps nothing, /],
    [{ RETENTION: 'within=0d' }, /^RETENTION is "within=0d": it keeps nothing, /],
    [{ OFFLINE_IDLE: '30' }, /^OFFLINE_IDLE is "30": write it as 30d, 12h, 30m or 90s/],
    [{ RUNS_KEPT: '399d' }, /^RUNS_KEPT is "399d": it must be at least 400d/],
    [{ AUDIT_KEPT: '364d' }, /^AUDIT_KEPT is "364d": it must be at least 365d/],
    [{ EVENTS_KEPT: 'a year' }, /^EVENTS_KEPT is "a year": write it as 30d/],
    [{ OFFLINE_MAX: '99999999d' }, /^OFFLINE_MAX is "99999999d": it must be from 1s to 36500d/],
    [{ METRICS_TOKEN: 'short' }, /^METRICS_TOKEN must be 32 letters, digits/],
    [{ METRICS_TOKEN: `${'x'.repeat(32)} y` }, /^METRICS_TOKEN must be/],
    [{ SMTP_URL: 'mail.example:25' }, /^SMTP_URL is not a usable address: it must begin with smtp:\/\/ or smtps:\/\//],
    [{ SMTP_URL: 'smtp://mail.example' }, /^MAIL_FROM is missing: SMTP_URL needs it/],
    [{ OPERATOR_MAIL: 'me@example.org' }, /^SMTP_URL is missing: OPERATOR_MAIL needs it/],
    [{ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'Nightkeep' }, /^MAIL_FROM is not one mail address/],
    [{ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'a@example.org, b@example.org' }, /^MAIL_FROM is not one/],
    [{ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'N <a@example.org>\nBcc: b@example.org' }, /^MAIL_FROM is not one/],
    [{ METRICS_FROM: '127.0.0.1 10.0.0.0/33' }, /^METRICS_FROM holds "10.0.0.0\/33", which is no address/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not a usable address/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'authorization' }, /^OTEL_EXPORTER_OTLP_HEADERS is not usable/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=%ff' }, /^OTEL_EXPORTER_OTLP_HEADERS is not usable/],
    [{ METRICS_FROM: 'localhost' }, /^METRICS_FROM holds "localhost"/],
    [{ METRICS_FROM: '10.0.0.0/' }, /^METRICS_FROM holds "10.0.0.0\/"/],
    [{ NOTIFY_URLS: 'json+ftp://x' }, /^NOTIFY_URLS has no usable address in line 1/],
    [{ NOTIFY_URLS: 'ntfy+https://x/t\npager+https://x/secret' }, /^NOTIFY_URLS has no .* line 2(?!.*secret)/],
    [{ NOTIFY_URLS: 'json+https://x/secret circuits' }, /^NOTIFY_URLS has no .* line 1(?!.*secret).*rotation_lost/],
    [{ NOTIFY_URLS: 'kuma+https://x/secret digest' }, /^NOTIFY_URLS has no .* line 1(?!.*secret).*the last two/],
    [{ OPERATOR_LANGUAGE: 'tlh' }, /^OPERATOR_LANGUAGE is "tlh": it must be one of en, de/],
    [{ STORE_CA: '/etc/ssl/own.pem' }, /^STORE_CA holds no certificates in PEM: .* name their file in STORE_CA_FILE/],
    [
      { STORE_CA: '-----BEGIN CERTIFICATE-----\nTm9uZQ==\n-----END CERTIFICATE-----' },
      /^STORE_CA holds no certificates/,
    ],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud": it must be one of debug, info, warn, error/],
  ];
  test.each(wrong)('%o are refused with the cure', (change, message) => {
    expect(() => readConfig({ ...good(), ...change })).toThrow(
      expect.objectContaining({ code: 'config/invalid', message: expect.stringMatching(message) }),
    );
  });

  test('that are wrong are all told at once, each once', () => {
    const many = {
      OIDC_ISSUER: '',
      OIDC_CLIENT_AUTH: 'basic',
      PORT: 'x',
      WINDOW: 'x',
      ZONE: 'Mars/Olympus',
      DATA_DIR_FILE: '/nowhere',
    };
    const { DATA_DIR: _, ...rest } = good();
    const { settings: read, faults } = surveySettings({ ...rest, ...many });
    const told = [...new Set(faults.values())];
    expect(told).toEqual([
      expect.stringMatching(/^OIDC_ISSUER is missing/),
      expect.stringMatching(/^OIDC_CLIENT_AUTH is "basic"/),
      expect.stringMatching(/^PORT is "x"/),
      expect.stringMatching(/^DATA_DIR_FILE names \/nowhere/),
      expect.stringMatching(/^WINDOW is "x"/),
      expect.stringMatching(/^ZONE is "Mars/),
    ]);
    expect(() => readConfig({ ...rest, ...many })).toThrow(told.join('\n'));
    expect(read).toMatchObject({ provider: { clientId: 'nightkeep', extraScopes: [] } });
    expect(read).not.toHaveProperty('window');
    expect([...faults.keys()]).toEqual(expect.arrayContaining(['issuer', 'secrets', 'store', 'window', 'keyring']));
  });

  test('are surveyed without a keyring being made', async () => {
    const DATA_DIR = join(folder, 'untouched');
    expect(surveySettings({ ...good(), DATA_DIR })).toMatchObject({ faults: new Map() });
    await expect(stat(DATA_DIR)).rejects.toThrow('ENOENT');
  });

  test('have a keyring made in a folder that others may not look into, below folders that they may pass, as PostgreSQL must', async () => {
    const above = join(folder, 'made');
    readConfig({ ...good(), DATA_DIR: join(above, 'data') });
    const modes = [above, join(above, 'data'), join(above, 'data', 'keyring')].map(
      async (path) => (await stat(path)).mode,
    );
    expect((await Promise.all(modes)).map((mode) => mode & 0o011)).toEqual([0o011, 0, 0]);
  });

  test('that are missing are told beside the name that was likely meant for them', () => {
    const { OIDC_ISSUER, ...rest } = good();
    expect(() => readConfig({ ...rest, OIDC_ISSUR: OIDC_ISSUER })).toThrow(
      'OIDC_ISSUER is missing: Issuer URL of the OpenID provider. OIDC_ISSUR is set, which is not a setting.',
    );
  });

  test('can be read one by one, whatever the others are', () => {
    const DATABASE_URL = 'postgres://localhost/nightkeep';
    expect(readSetting({ DATABASE_URL, PORT: 'x' }, 'DATABASE_URL')).toBe(DATABASE_URL);
    expect(readSetting({}, 'DATABASE_URL')).toBeUndefined();
    expect(() => readSetting({ PORT: 'x' }, 'PORT')).toThrow(/^PORT is "x"/);
  });
});

test('white space around a value is no part of it, as in a file', () => {
  const around = Object.fromEntries(
    Object.entries({ ...good(), PORT: '4000' }).map(([name, text]) => [name, ` ${text}\t\n`]),
  );
  const { port, provider } = readConfig(around);
  expect([port, provider.clientId]).toEqual([4000, good().OIDC_CLIENT_ID]);
});
