import { expect, test } from 'vitest';
import { filesToRunAgain, type SuiteReport, sumSteps } from '../../../scripts/sum-tests/sum.ts';

const report = (numPassedTests: number, numFailedTests = 0, numPendingTests = 0): SuiteReport => ({
  numPassedTests,
  numFailedTests,
  numPendingTests,
  testResults: [],
});

type Outcome = readonly [file: string, test: string, status: 'passed' | 'failed', message?: string];
const reportOf = (...outcomes: readonly Outcome[]): SuiteReport => ({
  numPassedTests: outcomes.filter(([, , status]) => status === 'passed').length,
  numFailedTests: outcomes.filter(([, , status]) => status === 'failed').length,
  numPendingTests: 0,
  testResults: outcomes.map(([file, fullName, status, message]) => ({
    name: `/clone/test/unit/${file}`,
    assertionResults: [{ fullName, status, failureMessages: message === undefined ? [] : [message] }],
  })),
});

test.each([
  ['a step that is no suite counts as one', { exitCode: 0, report: undefined }, [1, 0]],
  ['and as one failure when it ends badly', { exitCode: 2, report: undefined }, [0, 1]],
  ['the tests of a suite count each', { exitCode: 0, report: report(7, 0, 2) }, [7, 0]],
  ['so do its failures', { exitCode: 1, report: report(7, 3) }, [7, 3]],
  ['a suite that ends badly without a failed test has failed', { exitCode: 1, report: report(7) }, [7, 1]],
  ['a suite that ran nothing has failed', { exitCode: 0, report: report(0) }, [0, 1]],
])('%s', (_case, step, [passed, failed]) => {
  expect(sumSteps([{ name: 'step', ...step }])).toMatchObject({ passed, failed });
});

test('steps are summed and named, with what they skipped', () => {
  const steps = [
    { name: 'check', exitCode: 0, report: undefined },
    { name: 'test', exitCode: 1, report: report(5, 1, 2) },
  ];
  expect(sumSteps(steps)).toEqual({
    passed: 6,
    failed: 1,
    lines: ['  check: 1 passed, 0 failed', '  test: 5 passed, 1 failed, 2 skipped'],
  });
});

test('each failure ends the lines, with how its message begins', () => {
  const failed = reportOf(['a.test.ts', 'adds', 'failed', 'Error: 3\n  at here'], ['a.test.ts', 'ends', 'passed']);
  const { lines } = sumSteps([{ name: 'test', exitCode: 1, report: failed }]);
  expect(lines.slice(1)).toEqual(['  FAILED test: test/unit/a.test.ts > adds', '    Error: 3', '      at here']);
});

test('a test that passed by itself has passed, and is named; one that failed again or did not run again has failed', () => {
  const first = reportOf(
    ['a.test.ts', 'late', 'failed', 'timed out'],
    ['a.test.ts', 'wrong', 'failed'],
    ['b.test.ts', 'late', 'failed'],
    ['b.test.ts', 'fine', 'passed'],
  );
  const again = reportOf(['a.test.ts', 'late', 'passed'], ['a.test.ts', 'wrong', 'failed']);
  const sum = sumSteps([{ name: 'test', exitCode: 1, report: first, again }]);
  expect(sum).toMatchObject({ passed: 2, failed: 2 });
  expect(sum.lines).toContain('  PASSED ONLY BY ITSELF test: test/unit/a.test.ts > late');
  expect(sum.lines).toContain('  FAILED test: test/unit/a.test.ts > wrong');
  expect(sum.lines).toContain('  FAILED test: test/unit/b.test.ts > late');
});

test('a suite that ended badly without a failed test is not saved by another run', () => {
  const again = reportOf(['a.test.ts', 'late', 'passed']);
  expect(sumSteps([{ name: 'test', exitCode: 1, report: report(7), again }])).toMatchObject({ passed: 7, failed: 1 });
});

test('a file that does not load counts beside failed tests, whether those pass by themselves or not', () => {
  const failed = reportOf(['a.test.ts', 'late', 'failed'], ['a.test.ts', 'fine', 'passed']);
  const broken = { name: '/clone/test/unit/b.test.ts', status: 'failed', assertionResults: [] };
  const first = { ...failed, testResults: [...failed.testResults, broken] };
  const again = reportOf(['a.test.ts', 'late', 'passed']);
  expect(sumSteps([{ name: 'test', exitCode: 1, report: first }])).toMatchObject({ passed: 1, failed: 2 });
  expect(sumSteps([{ name: 'test', exitCode: 1, report: first, again }])).toMatchObject({ passed: 2, failed: 1 });
});

test('tests that passed by themselves in a run that ended badly leave one failure', () => {
  const first = reportOf(['a.test.ts', 'late', 'failed'], ['a.test.ts', 'fine', 'passed']);
  const again = reportOf(['a.test.ts', 'late', 'passed']);
  const step = { name: 'test', exitCode: 1, report: first, again };
  expect(sumSteps([{ ...step, againExitCode: 0 }])).toMatchObject({ passed: 2, failed: 0 });
  expect(sumSteps([{ ...step, againExitCode: 1 }])).toMatchObject({ passed: 2, failed: 1 });
});

test('up to three files run again; of more the suite has failed', () => {
  const failing = (count: number) =>
    reportOf(...Array.from({ length: count }, (_, n): Outcome => [`${n}.test.ts`, 'fails', 'failed']));
  expect(filesToRunAgain(failing(0))).toEqual([]);
  expect(filesToRunAgain(failing(3))).toEqual([0, 1, 2].map((n) => `/clone/test/unit/${n}.test.ts`));
  expect(filesToRunAgain(failing(4))).toEqual([]);
});
