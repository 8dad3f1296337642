/** Prints the files of a suite's JSON report whose tests failed, one a line, where they are few enough to run again by themselves. */
import { existsSync, readFileSync } from 'node:fs';
import { filesToRunAgain } from './sum-tests/sum.ts';

const report = process.argv[2];
if (report === undefined) throw new Error('usage: failed-files.ts REPORT.json');
for (const file of existsSync(report) ? filesToRunAgain(JSON.parse(readFileSync(report, 'utf8'))) : []) {
  console.log(file);
}
