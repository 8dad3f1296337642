import { createHash } from 'node:crypto';

/** A bill of materials by CycloneDX 1.5, as far as is looked at here. */
export interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly version: number;
  readonly serialNumber?: string;
  readonly metadata: { readonly component: { readonly name: string } & Readonly<Record<string, unknown>> } & Readonly<
    Record<string, unknown>
  >;
  readonly components: readonly BomComponent[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

export interface BomComponent {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

/**
 * The same bill for the same lock file, whoever makes it, when and in which folder: without the moment and the version of the tool, in
 * the order of names, and with a serial number made of what it says.
 */
export function stableBom(bom: Bom, name: string): Bom {
  const { serialNumber: _number, metadata, components, dependencies, ...rest } = bom;
  const { timestamp: _moment, tools: _tools, ...others } = metadata;
  const told = {
    ...rest,
    metadata: {
      ...others,
      tools: [{ vendor: 'npm', name: 'cli' }],
      component: { ...metadata.component, name },
    },
    components: components.toSorted((one, other) => compare(one['bom-ref'], other['bom-ref'])),
    dependencies: dependencies
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.toSorted(compare) }))
      .toSorted((one, other) => compare(one.ref, other.ref)),
  };
  return { ...told, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(told))}` };
}

/** What a bill lacks of what CycloneDX 1.5 demands, and of the packages that it must name, by their addresses. */
export function faultsOfBom(bom: Bom, addresses: readonly string[]): string[] {
  const faults: string[] = [];
  if (bom.bomFormat !== 'CycloneDX' || bom.specVersion !== '1.5' || !(bom.version >= 1))
    faults.push('It is no bill of CycloneDX 1.5.');
  if (!/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(bom.serialNumber ?? ''))
    faults.push('It has no serial number.');
  const refs = new Set(bom.components.map((one) => one['bom-ref']));
  if (refs.size !== bom.components.length) faults.push('Two components have one reference.');
  for (const { type, name, version } of bom.components)
    if (type !== 'library' || name === '' || version === '') faults.push(`${name} is no whole library.`);
  const named = new Set(bom.components.map(({ purl }) => purl));
  for (const one of addresses) if (!named.has(one)) faults.push(`${one} is missing.`);
  for (const one of named) if (!addresses.includes(one)) faults.push(`${one} is in no lock file.`);
  const known = new Set([...refs, String(bom.metadata.component['bom-ref'])]);
  for (const { ref, dependsOn } of bom.dependencies)
    for (const one of [ref, ...dependsOn]) if (!known.has(one)) faults.push(`${one} is named and not there.`);
  return faults;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** In the form of RFC 9562, version 8. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
