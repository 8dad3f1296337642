/** One restore by Nightkeep in a process of its own: `node nightkeep.ts REPOSITORY PASSWORD FOLDER`. */
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { openRepository } from '../../src/store/repository/repository.ts';
import { openTreeReadAhead } from '../../src/store/repository/tree-read-ahead.ts';
import { restore } from '../../src/store/restorer/restore.ts';

const [, , path, password, to] = process.argv;
if (path === undefined || password === undefined || to === undefined)
  throw new Error('usage: nightkeep.ts REPOSITORY PASSWORD FOLDER');
const repository = await openRepository(openLocalBackend(path), password);
await repository.loadIndex();
const { snapshot } = await repository.findSnapshot('latest');
const report = await restore({ ...repository, loadTree: openTreeReadAhead(repository) }, snapshot, to);
console.log(JSON.stringify({ ...report, problems: report.problems.length }));
if (report.problems.length + report.inexact > 0) throw new Error('Not all of it was restored.');
