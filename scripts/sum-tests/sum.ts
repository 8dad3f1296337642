/** What vitest's JSON reporter writes, as far as it is read here. */
export interface SuiteReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    /** The path of the file. */
    readonly name: string;
    /** `failed` without a failed test: it does not load, or what it does before or after its tests fails. */
    readonly status?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

export interface StepResult {
  readonly name: string;
  readonly exitCode: number;
  /** Steps that are no suite have none. */
  readonly report: SuiteReport | undefined;
  /** Of the files with failed tests, when they ran once more by themselves, and how that ended. */
  readonly again?: SuiteReport | undefined;
  readonly againExitCode?: number;
}

interface FailedTest {
  readonly file: string;
  readonly test: string;
  readonly message: string;
}

const mostFilesAgain = 3;
const linesOfMessage = 12;

/**
 * A step without a report counts as one. A file that fails without a failed test (it does not load) counts as one failure more, and so
 * does a suite that ends badly without either (an unhandled error), that ends badly again by itself with no failed test, or that ran
 * nothing at all. A test that failed beside others and passed by itself counts as passed, and is named. The lines end with each failure and how its message begins.
 */
export function sumSteps(steps: readonly StepResult[]): { passed: number; failed: number; lines: string[] } {
  const sums = steps.map((step) => ({ name: step.name, ...sumStep(step) }));
  return {
    passed: sums.reduce((total, { passed }) => total + passed, 0),
    failed: sums.reduce((total, { failed }) => total + failed, 0),
    lines: [
      ...sums.map(
        ({ name, passed, failed, skipped }) =>
          `  ${name}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
      ),
      ...sums.flatMap(({ name, mended }) => mended.flatMap((test) => linesOf(`PASSED ONLY BY ITSELF ${name}`, test))),
      ...sums.flatMap(({ name, tests }) => tests.flatMap((test) => linesOf(`FAILED ${name}`, test))),
    ],
  };
}

/** The files of a suite with failed tests, where they are so few that the suite as a whole stands; else none. */
export function filesToRunAgain(report: SuiteReport): readonly string[] {
  const files = [...new Set(failedTests(report).map(({ file }) => file))];
  return files.length <= mostFilesAgain ? files : [];
}

function sumStep({ exitCode, report, again, againExitCode = 0 }: StepResult) {
  if (report === undefined) {
    return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, mended: [], tests: [] };
  }
  const failures = failedTests(report);
  const passedNow = again === undefined ? new Set() : passedTests(again);
  const mended = failures.filter((failed) => passedNow.has(keyOf(failed)));
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
  const broken = report.testResults.filter(isBroken).length;
  const endedBadly = failed + broken === 0 && (exitCode !== 0 || passed === 0);
  const endedBadlyAgain = again !== undefined && againExitCode !== 0 && again.numFailedTests === 0;
  return {
    passed: passed + mended.length,
    failed: failed - mended.length + broken + (endedBadly || endedBadlyAgain ? 1 : 0),
    skipped,
    mended,
    tests: failures.filter((test) => !passedNow.has(keyOf(test))),
  };
}

function isBroken({ status, assertionResults }: SuiteReport['testResults'][number]): boolean {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
}

function failedTests(report: SuiteReport): readonly FailedTest[] {
  return report.testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({ file, test: fullName, message: failureMessages?.join('\n') ?? '' })),
  );
}

function passedTests(report: SuiteReport): ReadonlySet<string> {
  return new Set(
    report.testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'passed')
        .map(({ fullName }) => keyOf({ file, test: fullName })),
    ),
  );
}

const keyOf = ({ file, test }: Pick<FailedTest, 'file' | 'test'>) => JSON.stringify([file, test]);

function linesOf(head: string, { file, test, message }: FailedTest): string[] {
  return [
    `  ${head}: ${file.replace(/^.*\/(?=test\/)/, '')} > ${test}`,
    ...message
      .split('\n')
      .slice(0, linesOfMessage)
      .map((line) => `    ${line}`),
  ];
}
