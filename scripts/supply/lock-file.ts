/** What the lock file says of a package. */
export interface LockedPackage {
  /** Where it is not that of the path: a package under another name. */
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
}

/** By path: `node_modules/NAME`, or below another package's; the empty one is the project itself. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** What package.json says of them. */
export interface Manifest {
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

/** The name of the package at a path. */
export function nameAt(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The packages, with their paths. */
export function packagesOf({ packages }: LockFile): [string, LockedPackage][] {
  return Object.entries(packages).filter(([path]) => path !== '');
}

/** Its address (https://github.com/package-url/purl-spec). */
export function addressOf(path: string, { name = nameAt(path), version }: LockedPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
