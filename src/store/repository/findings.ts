import { countWords } from '../../count-words.ts';
import type { Finding, FindingKind } from './finding.ts';

/** How many findings of each kind are named: whoever may write to a store can cause any number of them. */
export const namedOfKind = 1_000;

/** What is found, one after the other. */
export interface Findings {
  add(finding: Finding): void;
  /** Those that are named, and one for the rest of each kind, which says how many these are. */
  all(): Finding[];
}

/** Collects findings, and names only the first of each kind. */
export function openFindings(): Findings {
  const named: Finding[] = [];
  const counts = new Map<FindingKind, { count: number; severity: Finding['severity'] }>();
  return {
    add: (finding) => {
      const { kind, more = 1, severity } = finding;
      const { count, severity: worst } = counts.get(kind) ?? { count: 0, severity };
      counts.set(kind, { count: count + more, severity: worst === 'error' ? worst : severity });
      if (count < namedOfKind) named.push(finding);
    },
    all: () => [...named, ...counts.entries().flatMap(([kind, { count, severity }]) => restOf(kind, severity, count))],
  };
}

function restOf(kind: FindingKind, severity: Finding['severity'], count: number): Finding[] {
  const more = count - namedOfKind;
  if (more <= 0) return [];
  return [{ kind, severity, more, message: `And ${countWords(more, 'finding')} more of this kind (${kind}).` }];
}
