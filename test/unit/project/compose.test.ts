import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Config, readConfig } from '../../../src/config/config.ts';
import { hasHealthcheck, makeSecrets, mountsOf, namesOf, readCompose, type Service, text } from './compose-file.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const lasting = services.filter(([, { restart }]) => restart !== 'no');
const ours = ['migrate', 'web', 'worker'].map((name): [string, Service] => [name, serviceNamed(name)]);
const folder = mkdtempSync(join(tmpdir(), 'nightkeep-compose-'));
const secretFile = makeSecrets(compose, folder);
afterAll(() => rmSync(folder, { recursive: true }));

function serviceNamed(name: string): Service {
  return compose.services[name] ?? {};
}

/** What Nightkeep makes of the environment that the container gets. */
function configOf(service: Service): Config {
  const environment = Object.entries(service.environment ?? {}).map(([name, value]) => {
    return [name, value.startsWith('/run/secrets/') ? secretFile(service, value) : value];
  });
  return readConfig(Object.fromEntries(environment));
}

/** Whether `from` reaches a container under that name. */
function reaches(from: string, name: string): boolean {
  const within = namesOf(from, serviceNamed(from));
  return services.some(([other, service]) =>
    [...namesOf(other, service)].some(([network, names]) => within.has(network) && names.includes(name)),
  );
}

test('it starts as it is, with everything that a first night takes', () => {
  expect(services.map(([name]) => name).toSorted()).toEqual(
    ['caddy', 'keycloak', 'migrate', 'postgres', 'redis', 'secrets', 'web', 'webdav', 'worker'].toSorted(),
  );
  expect(services.filter(([, { profiles }]) => profiles).map(([name]) => name)).toEqual(['caddy']);
});

describe.each(ours)('the settings of %s', (name, service) => {
  const config = configOf(service);

  test('are ones that Nightkeep takes, and name containers that it reaches', () => {
    expect(config.databaseUrl).toMatch(/^postgres:\/\/nightkeep:[\w-]{43}@postgres:5432\/nightkeep$/);
    expect(reaches(name, 'postgres')).toBe(true);
    if (name === 'migrate') return;
    expect(config.redisUrl).toMatch(/^redis:\/\/:[\w-]{43}@redis:6379$/);
    for (const host of ['redis', config.provider.issuer.hostname, new URL(config.filesUrl).hostname])
      expect(reaches(name, host), host).toBe(true);
  });

  test('keep what must outlive the container in a volume', () => {
    const kept = mountsOf(service).filter(({ readOnly }) => !readOnly);
    expect(kept.map(({ source, target }) => [source, target])).toEqual(name === 'migrate' ? [] : [['store', '/data']]);
    expect(config.dataDir).toMatch(/^\/data\//);
    expect(config.store).toEqual({ kind: 'folder', folder: expect.stringMatching(/^\/data\//) });
  });
});

test('pages listen where their port is published and their health is asked, workers where theirs is', () => {
  const [asked] = /(?<=127\.0\.0\.1:)\d+(?=\/livez)/.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  const web = configOf(serviceNamed('web'));
  expect([web.host, String(web.port), web.publicUrl.port]).toEqual(['0.0.0.0', asked, asked]);
  expect(serviceNamed('web').ports).toEqual([`127.0.0.1:${asked}:${asked}`]);
  const worker = configOf(serviceNamed('worker'));
  expect([worker.host, String(worker.healthPort)]).toEqual(['0.0.0.0', asked]);
});

test('a provider and a cloud of your own come from .env, with the client secret', () => {
  const dotEnv = {
    OIDC_ISSUER: 'https://id.example/realms/people',
    WEBDAV_BASE_URL: 'https://cloud.example/dav/files',
  };
  const own = readCompose(dotEnv).services.web?.environment ?? {};
  expect([own.OIDC_ISSUER, own.FILES_URL]).toEqual([
    'https://id.example/realms/people',
    'https://cloud.example/dav/files/{preferred_username}/',
  ]);
  const other = mkdtempSync(join(tmpdir(), 'nightkeep-compose-'));
  const file = makeSecrets(compose, other, { OIDC_CLIENT_SECRET: 'given' });
  expect(readFileSync(file(serviceNamed('web'), '/run/secrets/client_secret'), 'utf8')).toBe('given');
  rmSync(other, { recursive: true });
});

test('whoever shares a secret has the same one, and making them again changes none', () => {
  const secret = (name: string, path: string) =>
    readFileSync(secretFile(serviceNamed(name), `/run/secrets/${path}`), 'utf8');
  const all = () => ({
    database: [new URL(secret('web', 'database_url')).password, secret('postgres', 'password')],
    redis: [new URL(secret('web', 'redis_url')).password, secret('redis', 'redis.conf').replace('requirepass ', '')],
    client: [secret('web', 'client_secret'), secret('keycloak', 'nightkeep_client_secret')],
    webdav: [
      secret('webdav', 'client_secret.conf').replace('OIDCOAuthClientSecret ', ''),
      secret('keycloak', 'webdav_client_secret'),
    ],
  });
  const first = all();
  for (const [name, [one, other]] of Object.entries(first)) expect(one, name).toBe(other);
  expect(new Set(Object.values(first).flat()).size).toBe(4);
  makeSecrets(compose, folder);
  expect(all()).toEqual(first);
});

test('the provider, the WebDAV server and Caddy reach whom they ask, by the names that they are told', () => {
  const { environment = {} } = serviceNamed('keycloak');
  expect(new URL(environment.KC_HOSTNAME ?? '').origin).toBe(configOf(serviceNamed('web')).provider.issuer.origin);
  expect(reaches('keycloak', new URL(environment.NIGHTKEEP_BACKCHANNEL_URL ?? '').hostname)).toBe(true);
  const provider = /WEBDAV_PROVIDER=(\S+)/.exec(readFileSync('deploy/webdav/Dockerfile', 'utf8'))?.[1] ?? '';
  expect(reaches('webdav', new URL(provider).hostname)).toBe(true);
  const proxied = /reverse_proxy (\w+):3000/.exec(readFileSync('deploy/caddy/Caddyfile', 'utf8'))?.[1] ?? '';
  expect(reaches('caddy', proxied)).toBe(true);
});

test('PostgreSQL and Redis are reached by those who need them alone, and reach nothing themselves', () => {
  const members = (network: string) =>
    services.filter(([name, it]) => namesOf(name, it).has(network)).map(([name]) => name);
  expect(members('database').toSorted()).toEqual(['migrate', 'postgres', 'web', 'worker']);
  expect(members('queue').toSorted()).toEqual(['redis', 'web', 'worker']);
  for (const [name, network] of [
    ['postgres', 'database'],
    ['redis', 'queue'],
  ] as const) {
    expect([...namesOf(name, serviceNamed(name)).keys()]).toEqual([network]);
    expect(compose.networks[network]?.internal).toBe(true);
  }
});

describe.each(services)('service %s', (name, service) => {
  test('has no more rights than it needs, and bounds', () => {
    expect(service.privileged).toBeUndefined();
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.ulimits?.core).toBe(0);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.pids_limit).toBeGreaterThan(0);
  });

  test('is an exact version', () => {
    const image = service.build === undefined ? service.image : fromOf(service.build);
    expect(image).toMatch(/:\d+\.\d+[\w.-]*$/);
  });

  test('is reached from this machine only, but for Caddy', () => {
    for (const port of service.ports ?? [])
      expect(port).toMatch(name === 'caddy' ? /^\d+:\d+$/ : /^127\.0\.0\.1:\d+:\d+$/);
  });

  test('is in networks and has volumes, files and services that are there', () => {
    for (const network of namesOf(name, service).keys()) expect(compose.networks).toHaveProperty(network);
    if (namesOf(name, service).size === 0) expect(service.network_mode).toBe('none');
    for (const { source } of mountsOf(service)) {
      if (source.startsWith('.')) expect(existsSync(source), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const needed = compose.services[other];
      expect(needed, other).toBeDefined();
      if (condition === 'service_healthy') expect(hasHealthcheck(needed ?? {}), other).toBe(true);
      else expect([condition, needed?.restart]).toEqual(['service_completed_successfully', 'no']);
    }
  });

  test('gets secrets as files of its own, after they were made', () => {
    if (name === 'secrets') return;
    for (const [setting, value] of Object.entries(service.environment ?? {})) {
      if (/PASSWORD|SECRET|KEYRING|DATABASE_URL|REDIS_URL/.test(setting)) expect(setting).toMatch(/_FILE$/);
      if (setting.endsWith('_FILE')) expect(existsSync(secretFile(service, value)), setting).toBe(true);
    }
    for (const { source, target, readOnly } of mountsOf(service).filter(({ source }) => source.endsWith('-secrets'))) {
      expect([target, readOnly]).toEqual(['/run/secrets', true]);
      expect(source).toBe(`${ours.some(([our]) => our === name) ? 'service' : name}-secrets`);
      expect(waitsFor(name)).toContain('secrets');
    }
  });
});

test('a secret that a stopped start left empty is made anew, and nothing half written is left', () => {
  const other = mkdtempSync(join(tmpdir(), 'nightkeep-compose-'));
  mkdirSync(join(other, 'postgres'));
  writeFileSync(join(other, 'postgres', 'password'), '');
  makeSecrets(compose, other);
  const password = readFileSync(join(other, 'postgres', 'password'), 'utf8');
  expect(password).toMatch(/^[\w-]{43}$/);
  expect(readFileSync(join(other, 'service', 'database_url'), 'utf8')).toContain(`:${password}@`);
  expect(readdirSync(other, { recursive: true }).filter((name) => String(name).endsWith('.new'))).toEqual([]);
  rmSync(other, { recursive: true });
});

test('pages and workers have longer to end than they take, and PostgreSQL longer than the default', () => {
  for (const name of ['web', 'worker']) {
    const { graceMs } = configOf(serviceNamed(name));
    expect(secondsOf(serviceNamed(name)) * 1_000, name).toBeGreaterThan(graceMs + 10_000);
  }
  expect(secondsOf(serviceNamed('postgres'))).toBeGreaterThanOrEqual(60);
});

/** As Docker waits before it kills: ten seconds where nothing is said. */
function secondsOf({ stop_grace_period: period = '10s' }: Service): number {
  return Number.parseInt(period, 10) * (period.endsWith('m') ? 60 : 1);
}

test('every service that lasts is asked how it is', () => {
  for (const [name, service] of lasting) expect(hasHealthcheck(service), name).toBe(true);
});

test('no two services want one port of this machine, and no network, volume or secret is nobody’s', () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':').at(-2)));
  expect(new Set(ports).size).toBe(ports.length);
  const used = new Set(services.flatMap(([, service]) => mountsOf(service).map(({ source }) => source)));
  for (const volume of Object.keys(compose.volumes)) expect(used).toContain(volume);
  const joined = new Set(services.flatMap(([name, service]) => [...namesOf(name, service).keys()]));
  expect(joined).toEqual(new Set(Object.keys(compose.networks)));
});

test('our own containers, which hold the keyring, cannot be written to', () => {
  for (const [, service] of ours) expect([service.read_only, service.user]).toEqual([true, undefined]);
});

test('Redis has a password, and neither forgets jobs when it is full nor loses them in a restart', () => {
  const command = serviceNamed('redis').command?.join(' ');
  expect(command).toContain('--include /run/secrets/redis.conf');
  expect(command).toMatch(/--maxmemory-policy noeviction --appendonly yes/);
  expect(readFileSync(secretFile(serviceNamed('redis'), '/run/secrets/redis.conf'), 'utf8')).toMatch(
    /^requirepass \S{43}$/,
  );
});

test('every variable that comes from .env is explained', () => {
  const docs = readFileSync('docs/compose.md', 'utf8');
  for (const [, name] of text.matchAll(/(?<!\$)\$\{(\w+)/g)) expect(docs).toContain(`\`${name}\``);
});

function fromOf(build: string): string {
  return /^FROM (\S+)/m.exec(readFileSync(join(build, 'Dockerfile'), 'utf8'))?.[1] ?? '';
}

/** Whom a service waits for, and whom those wait for. */
function waitsFor(name: string): string[] {
  const direct = Object.keys(serviceNamed(name).depends_on ?? {});
  return [...direct, ...direct.flatMap(waitsFor)];
}
