import type { Finding } from './finding.ts';
import type { Installation } from './installation.ts';

/** One thing that is looked at: the file of a check says what it looks at, how it judges, and in which words. */
export interface Check {
  readonly name: string;
  /** Gathers the facts and judges them. Rejects where something is missing that another check reports on. */
  run(installation: Installation): Promise<Finding | readonly Finding[]>;
}

/** Checks that look at the same thing: where it cannot be looked at, one line says so for all of them. */
export function together(name: string, checks: readonly Check[]): Check {
  return {
    name,
    run: async (installation) => (await Promise.all(checks.map((check) => check.run(installation)))).flat(),
  };
}
