/**
 * Sums the results of a CI run (a folder with STEP.rc and, for test suites, STEP.json and perhaps STEP.again and STEP.again.rc) into
 * `N passed, N failed`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StepResult, type SuiteReport, sumSteps } from './sum-tests/sum.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: sum-tests.ts FOLDER');

const sum = sumSteps(
  readdirSync(folder)
    .filter((file) => file.endsWith('.rc') && !file.endsWith('.again.rc'))
    .map((file) => readStep(file.slice(0, -'.rc'.length))),
);
for (const line of sum.lines) console.log(line);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function readStep(name: string): StepResult {
  return {
    name,
    exitCode: readExitCode(`${name}.rc`),
    report: readReport(`${name}.json`),
    again: readReport(`${name}.again`),
    againExitCode: readExitCode(`${name}.again.rc`),
  };
}

function readExitCode(file: string): number {
  const path = join(folder ?? '', file);
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
}

function readReport(file: string): SuiteReport | undefined {
  const path = join(folder ?? '', file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
