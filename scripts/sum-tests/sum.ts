export interface StepResult {
  name: string;
  exitCode: number;
  /** What vitest's JSON reporter wrote; steps that are no suite have none. */
  report: { numPassedTests: number; numFailedTests: number; numPendingTests: number } | undefined;
}

/**
 * A step without a report counts as one. A suite that ends badly without a failed test (a file that does not load, an
 * unhandled error), or that ran nothing at all, counts as one failure more.
 */
export function sumSteps(steps: readonly StepResult[]): { passed: number; failed: number; lines: string[] } {
  const sums = steps.map((step) => ({ name: step.name, ...sumStep(step) }));
  return {
    passed: sums.reduce((total, { passed }) => total + passed, 0),
    failed: sums.reduce((total, { failed }) => total + failed, 0),
    lines: sums.map(
      ({ name, passed, failed, skipped }) =>
        `  ${name}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    ),
  };
}

function sumStep({ exitCode, report }: StepResult): { passed: number; failed: number; skipped: number } {
  if (report === undefined) return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
  const brokenOtherwise = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: failed + (brokenOtherwise ? 1 : 0), skipped };
}
