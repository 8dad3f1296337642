import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  privileged?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  ports?: string[];
  volumes?: string[];
  healthcheck?: { disable?: boolean; test?: string[] };
  depends_on?: Record<string, { condition: string }>;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

const compose: Compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

test('the compose file has the services that a whole Nightkeep is made of', () => {
  expect(Object.keys(compose.services).toSorted()).toEqual([
    'keycloak',
    'migrate',
    'postgres',
    'redis',
    'web',
    'worker',
  ]);
  expect(ours.map(([name]) => name).toSorted()).toEqual(['migrate', 'web', 'worker']);
});

describe.each(services)('service %s', (_name, service) => {
  test('says whether it is well, or says why nobody asks', () => {
    expect(service.healthcheck ?? (service.build && dockerfileHasHealthcheck())).toBeTruthy();
  });

  test('has no more rights than it needs', () => {
    expect(service.privileged).toBeUndefined();
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
  });

  test('is an exact version', () => {
    if (service.build === undefined) expect(service.image).toMatch(/:\d+\.\d+[\w.-]*$/);
  });

  test('is reached from this machine only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('names secrets, volumes, files and services that are there', () => {
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    for (const volume of service.volumes ?? []) {
      const source = volume.split(':')[0] ?? '';
      if (source.startsWith('.')) expect(existsSync(source), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const needed = compose.services[other];
      expect(needed, other).toBeDefined();
      if (condition === 'service_healthy') expect(needed?.healthcheck?.test, other).toBeDefined();
    }
  });

  test('gets secrets as files, not as values', () => {
    const settings = Object.entries(service.environment ?? {});
    for (const [name, value] of settings) {
      if (/PASSWORD|SECRET|KEYRING|DATABASE_URL/.test(name)) expect(name).toMatch(/_FILE$/);
      if (!name.endsWith('_FILE')) continue;
      expect(value).toMatch(/^\/run\/secrets\//);
      expect(service.secrets).toContain(value.slice('/run/secrets/'.length));
    }
  });
});

test('our own containers cannot be written to, but for the store', () => {
  for (const [, service] of ours) {
    expect(service.read_only).toBe(true);
    expect(service.volumes ?? []).toEqual(service.volumes === undefined ? [] : ['store:/data']);
  }
});

test('Redis neither forgets jobs when it is full nor loses them in a restart', () => {
  expect(compose.services.redis?.command?.join(' ')).toMatch(/--maxmemory-policy noeviction --appendonly yes/);
});

test('every secret is made by deploy/make-secrets.sh', () => {
  const script = readFileSync('deploy/make-secrets.sh', 'utf8');
  for (const [name, { file }] of Object.entries(compose.secrets)) {
    expect(file).toBe(`./deploy/secrets/${name}`);
    expect(script).toMatch(new RegExp(`^put ${name} `, 'm'));
  }
});

function dockerfileHasHealthcheck(): boolean {
  return /^HEALTHCHECK /m.test(readFileSync('Dockerfile', 'utf8'));
}
