/**
 * Looks at what Nightkeep is made of beside its own code: versions and hashes, licences, scripts that run at installation, and whether what is
 * installed has the versions of the lock file. Asks nobody on the network. With --write it writes the licences into docs/dependencies.md, with
 * --sbom it prints the bill of materials (CycloneDX 1.5) instead.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { between } from './settings/written.ts';
import { faultsOf } from './supply/faults.ts';
import { licensesOf } from './supply/licenses.ts';
import { addressOf, type LockFile, type Manifest, packagesOf } from './supply/lock-file.ts';
import { type Bom, faultsOfBom, stableBom } from './supply/sbom.ts';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const lock: LockFile = readJson('package-lock.json');
const manifest: Manifest & { name: string } = readJson('package.json');
const [list, marks] = [
  'docs/dependencies.md',
  ['<!-- licences: written by `npm run write:supply` -->', '<!-- end of licences -->'] as const,
];

const made = execFileSync(
  'npm',
  ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'],
  {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  },
);
const bom = stableBom(JSON.parse(made) as Bom, manifest.name);
if (process.argv.includes('--sbom')) console.log(JSON.stringify(bom, null, 2));
else {
  const installed = (path: string) =>
    existsSync(`${path}/package.json`) ? readJson(`${path}/package.json`) : undefined;
  const addresses = packagesOf(lock).map(([path, locked]) => addressOf(path, locked));
  const faults = [...faultsOf(lock, manifest, installed), ...faultsOfBom(bom, addresses)];
  const before = readFileSync(list, 'utf8');
  const after = between(before, marks, licensesOf(lock));
  if (before !== after && process.argv.includes('--write')) writeFileSync(list, after);
  else if (before !== after) faults.push(`${list} is not what the lock file says. Run: npm run write:supply`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
