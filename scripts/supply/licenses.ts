import { type LockFile, nameAt, packagesOf } from './lock-file.ts';

const unknown = 'not told';

/** A Markdown table of the packages that a service may run on, by licence. */
export function licensesOf(lock: LockFile): string {
  const used = packagesOf(lock).filter(([, { dev }]) => dev !== true);
  const byLicense = Map.groupBy(used, ([, { license }]) => license ?? unknown);
  const rows = [...byLicense.keys()].toSorted().map((license) => {
    const names = (byLicense.get(license) ?? []).map(([path, { version }]) => `${nameAt(path)} ${version}`);
    return `| ${license} | ${[...new Set(names)].toSorted().join(', ')} |`;
  });
  return ['| Licence | Packages |', '| --- | --- |', ...rows].join('\n');
}
