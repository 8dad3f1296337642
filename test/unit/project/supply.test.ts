import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { faultsOf, type Installed } from '../../../scripts/supply/faults.ts';
import { licensesOf } from '../../../scripts/supply/licenses.ts';
import type { LockedPackage } from '../../../scripts/supply/lock-file.ts';
import { type Bom, faultsOfBom, stableBom } from '../../../scripts/supply/sbom.ts';

const sound: LockedPackage = { version: '1.2.3', integrity: 'sha512-x', license: 'MIT' };
const manifest = { allowScripts: {} };
const nothing: Installed = () => undefined;
const one = (locked: LockedPackage) => ({ packages: { '': {}, 'node_modules/@a/b': locked } });

describe('what is wrong with a package', () => {
  test('of this project: nothing', () => {
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
    expect(faultsOf(read('package-lock.json'), read('package.json'), nothing)).toEqual([]);
  });

  test('nothing, where it is pinned, known and quiet', () => {
    expect(faultsOf(one(sound), manifest, () => ({ version: '1.2.3', scripts: { test: 'x' } }))).toEqual([]);
  });

  test.each<[string, LockedPackage, Installed, RegExp]>([
    ['no exact version', { ...sound, version: 'latest' }, nothing, /has no exact version/],
    ['no hash', { version: '1.2.3', license: 'MIT' }, nothing, /has no SHA-512/],
    ['a weak hash', { ...sound, integrity: 'sha1-x' }, nothing, /has no SHA-512/],
    ['an unknown licence', { ...sound, license: 'AGPL-3.0' }, nothing, /has the licence AGPL-3\.0: look at it/],
    ['no licence', { version: '1.2.3', integrity: 'sha512-x' }, nothing, /has the licence \(none\)/],
    ['another version installed', sound, () => ({ version: '1.2.4' }), /is installed as 1\.2\.4, not as 1\.2\.3/],
    ['a script', { ...sound, hasInstallScript: true }, nothing, /refuse it in allowScripts/],
    [
      'a script that nobody recorded',
      sound,
      () => ({ version: '1.2.3', scripts: { postinstall: 'x' } }),
      /which the lock file does not say/,
    ],
  ])('%s', (_what, locked, installed, words) => {
    expect(faultsOf(one(locked), manifest, installed)).toEqual([expect.stringMatching(words)]);
  });

  test('a script that is refused by name is none, and a refusal that nothing needs is one', () => {
    const allowScripts = { '@a/b': false };
    expect(faultsOf(one({ ...sound, hasInstallScript: true }), { allowScripts }, nothing)).toEqual([]);
    expect(faultsOf(one(sound), { allowScripts }, nothing)).toEqual([expect.stringMatching(/remove it/)]);
  });

  test('a package for another platform may lack what the registry did not say, one that is installed may not', () => {
    const elsewhere = { version: '1.2.3', optional: true, os: ['darwin'] };
    expect(faultsOf(one(elsewhere), manifest, nothing)).toEqual([]);
    expect(faultsOf(one(elsewhere), manifest, () => ({ version: '1.2.3' }))).toHaveLength(2);
  });
});

test('licences are listed with the packages of a service, each once', () => {
  const packages = {
    '': {},
    'node_modules/b': { version: '2.0.0', license: 'MIT' },
    'node_modules/a': { version: '1.0.0', license: 'MIT' },
    'node_modules/b/node_modules/a': { version: '1.0.0', license: 'MIT' },
    'node_modules/c': { version: '1.0.0', license: 'ISC', dev: true },
    'node_modules/d': { version: '1.0.0' },
  };
  expect(licensesOf({ packages }).split('\n').slice(2)).toEqual([
    '| MIT | a 1.0.0, b 2.0.0 |',
    '| not told | d 1.0.0 |',
  ]);
});

describe('a bill of materials', () => {
  const component = (name: string) => ({
    'bom-ref': `${name}@1.0.0`,
    type: 'library',
    name,
    version: '1.0.0',
    purl: `pkg:npm/${name.replace('@', '%40')}@1.0.0`,
  });
  const made = (moment: string, components: readonly string[]): Bom => ({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    serialNumber: `urn:uuid:${moment}`,
    metadata: { timestamp: moment, tools: [{ version: moment }], component: { 'bom-ref': 'it', name: moment } },
    components: components.map(component),
    dependencies: [{ ref: 'it', dependsOn: components.map((name) => `${name}@1.0.0`) }],
  });
  const addresses = ['pkg:npm/%40a/b@1.0.0', 'pkg:npm/c@1.0.0'];
  const bom = stableBom(made('today', ['@a/b', 'c']), 'it');

  test('is the same whenever and wherever it is made, and another where it says something else', () => {
    expect(stableBom(made('tomorrow', ['c', '@a/b']), 'it')).toEqual(bom);
    expect(JSON.stringify(bom)).not.toContain('today');
    expect(stableBom(made('today', ['c']), 'it').serialNumber).not.toBe(bom.serialNumber);
  });

  test('that names all packages, each once, lacks nothing', () => {
    expect(faultsOfBom(bom, addresses)).toEqual([]);
  });

  test.each<[string, Partial<Bom>, RegExp]>([
    ['of another format', { specVersion: '1.4' }, /no bill of CycloneDX 1\.5/],
    ['without a number', { serialNumber: 'urn:uuid:1' }, /no serial number/],
    ['with a component twice', { components: ['c', '@a/b', 'c'].map(component) }, /Two components/],
    ['without a package', { components: [component('c')], dependencies: [] }, /^pkg:npm\/%40a\/b@1\.0\.0 is missing/],
    ['with a stranger', { components: ['c', '@a/b', 'd'].map(component) }, /^pkg:npm\/d@1\.0\.0 is in no lock file/],
    ['with no name', { components: [...bom.components, { ...component('c'), 'bom-ref': 'x', name: '' }] }, /no whole/],
    ['with a loose end', { dependencies: [{ ref: 'it', dependsOn: ['y@1'] }] }, /y@1 is named and not there/],
  ])('%s is refused', (_what, other, words) => {
    expect(faultsOfBom({ ...bom, ...other }, addresses)).toEqual([expect.stringMatching(words)]);
  });
});
