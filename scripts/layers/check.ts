import type { Import, Module } from './module.ts';
import {
  barrels,
  cycles,
  doors,
  forbiddenNames,
  freeBuiltins,
  layers,
  ownCode,
  returnsInUse,
  unknownPackage,
} from './rules.ts';

export interface Violation {
  path: string;
  line: number;
  what: string;
  reason: string;
}

/** Everything in these modules that the rules refuse, in the order of the files. */
export function findViolations(modules: readonly Module[]): Violation[] {
  return [...modules.flatMap(checkModule), ...findCycles(modules)];
}

function checkModule(module: Module): Violation[] {
  return [
    ...checkName(module),
    ...module.imports.flatMap((taken) => [...checkLayer(module, taken), ...checkReExport(module, taken)]),
    ...(ownCode.test(module.path) ? [...checkDoors(module), ...checkReturns(module)] : []),
  ];
}

function checkName({ path }: Module): Violation[] {
  const index = /(^|\/)index\.ts$/.test(path);
  if (index) return [{ path, line: 1, what: 'is a barrel file', reason: barrels.reason }];
  if (!forbiddenNames.pattern.test(path)) return [];
  return [{ path, line: 1, what: 'has a name of no meaning', reason: forbiddenNames.reason }];
}

function checkReExport({ path }: Module, { target, reExport, line }: Import): Violation[] {
  return reExport ? [{ path, line, what: `passes on ${target}`, reason: barrels.reason }] : [];
}

function checkLayer({ path }: Module, { target, line }: Import): Violation[] {
  if (!target.endsWith('.ts')) return [];
  const own = layers.find((rule) => rule.files.test(path));
  if (own === undefined) return [{ path, line, what: 'belongs to no layer', reason: unknownPackage.reason }];
  if (own.files.test(target) || own.mayImport.test(target)) return [];
  return [{ path, line, what: `imports ${target}`, reason: own.reason }];
}

function checkDoors({ path, imports, uses }: Module): Violation[] {
  const closed = (name: string) => doors.find((rule) => rule.opens.test(name) && !rule.keepers.test(path));
  const ofImports = imports.flatMap(({ target, names, line }) => {
    const door = closed(target);
    if (door !== undefined && !(names.length > 0 && names.every((name) => door.free?.test(name))))
      return [{ path, line, what: `imports ${target}`, reason: door.reason }];
    return isUnknown(target) ? [{ path, line, what: `imports ${target}`, reason: unknownPackage.reason }] : [];
  });
  const ofUses = uses.flatMap(({ name, line }) => {
    const door = closed(name);
    return door === undefined ? [] : [{ path, line, what: `uses ${name}`, reason: door.reason }];
  });
  return [...ofImports, ...ofUses];
}

function checkReturns({ path, unawaited }: Module): Violation[] {
  return unawaited.map((line) => ({ path, line, what: 'returns a call without await', reason: returnsInUse.reason }));
}

function isUnknown(target: string): boolean {
  const file = target === 'package.json' || (/\.\w+$/.test(target) && target.includes('/'));
  return !file && !freeBuiltins.test(target) && !doors.some((rule) => rule.opens.test(target));
}

/** One violation a cycle: depth-first, reported where the walk comes back to a file it is still inside of. */
function findCycles(modules: readonly Module[]): Violation[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const found: Violation[] = [];
  const walk = (module: Module, trail: string[]) => {
    for (const { target, line } of module.imports) {
      const next = byPath.get(target);
      if (next === undefined || done.has(target)) continue;
      const from = [...trail, module.path].indexOf(target);
      const round = [...trail, module.path].slice(from);
      if (from >= 0)
        found.push({ path: module.path, line, what: `closes a cycle: ${[...round, target].join(' → ')}`, ...cycles });
      else walk(next, [...trail, module.path]);
    }
    done.add(module.path);
  };
  for (const module of modules) if (!done.has(module.path)) walk(module, []);
  return found;
}
