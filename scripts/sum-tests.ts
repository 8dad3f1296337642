/** Sums the results of a CI run (a folder with STEP.rc and, for test suites, STEP.json) into `N passed, N failed`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StepResult, sumSteps } from './sum-tests/sum.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: sum-tests.ts FOLDER');

const sum = sumSteps(
  readdirSync(folder)
    .filter((file) => file.endsWith('.rc'))
    .map((file) => readStep(file.slice(0, -'.rc'.length))),
);
for (const line of sum.lines) console.log(line);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function readStep(name: string): StepResult {
  const results = join(folder ?? '', `${name}.json`);
  return {
    name,
    exitCode: Number(readFileSync(join(folder ?? '', `${name}.rc`), 'utf8')),
    report: existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : undefined,
  };
}
