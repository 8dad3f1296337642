import { expect, test } from 'vitest';
import { sumSteps } from '../../../scripts/sum-tests/sum.ts';

const report = (numPassedTests: number, numFailedTests = 0, numPendingTests = 0) => ({
  numPassedTests,
  numFailedTests,
  numPendingTests,
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
