import { type LockedPackage, type LockFile, type Manifest, nameAt, packagesOf } from './lock-file.ts';

/** Licences (SPDX) under which packages may be used beside Apache-2.0; a new one is looked at by somebody first. */
const knownLicenses = [
  '0BSD',
  'Apache-2.0',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  '(MIT OR Apache-2.0)',
  'MIT OR Apache-2.0',
];

/** What is installed at a path of the lock file, as its package.json says; undefined where nothing is. */
export type Installed = (
  path: string,
) => { readonly version?: string; readonly scripts?: Readonly<Record<string, string>> } | undefined;

/** What is wrong with the packages of the lock file, each with the cure. */
export function faultsOf(lock: LockFile, { allowScripts }: Manifest, installed: Installed): string[] {
  const faults: string[] = [];
  const scripted = new Set<string>();
  for (const [path, locked] of packagesOf(lock)) {
    const name = nameAt(path);
    const found = installed(path);
    if (!/^\d+\.\d+\.\d+/.test(locked.version ?? '')) faults.push(`${path} has no exact version: install it anew.`);
    if (found !== undefined && found.version !== locked.version)
      faults.push(`${path} is installed as ${found.version}, not as ${locked.version}: run npm ci.`);
    if (!locked.integrity?.startsWith('sha512-') && !isElsewhere(locked, found))
      faults.push(`${path} has no SHA-512 in the lock file: install it anew.`);
    if (!knownLicenses.includes(locked.license ?? '') && !isElsewhere(locked, found))
      faults.push(`${path} has the licence ${locked.license ?? '(none)'}: look at it, then add it to knownLicenses.`);
    if (locked.hasInstallScript === true) scripted.add(name);
    else if (hasInstallScript(found?.scripts))
      faults.push(`${path} has a script that runs when it is installed, which the lock file does not say.`);
    if (locked.hasInstallScript === true && allowScripts[name] === undefined)
      faults.push(`${path} has a script that runs when it is installed: refuse it in allowScripts of package.json.`);
  }
  for (const name of Object.keys(allowScripts))
    if (!scripted.has(name)) faults.push(`allowScripts names ${name}, which has no such script any more: remove it.`);
  return faults;
}

/** Of a package for another platform the registry may say nothing. */
function isElsewhere({ optional, os }: LockedPackage, found: ReturnType<Installed>): boolean {
  return optional === true && os !== undefined && found === undefined;
}

function hasInstallScript(scripts: Readonly<Record<string, string>> = {}): boolean {
  return ['preinstall', 'install', 'postinstall'].some((name) => name in scripts);
}
