/**
 * Times a restore of 10,020 files (330 MB) by Nightkeep beside stock restic, of the same snapshot, in turn:
 * `node bench/restore.ts [--json] [--rounds N] [--keep DIR]`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from './measure.ts';
import { writeFiles } from './night/files.ts';
import { compareRestores } from './restore/compare-restores.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '3' }, keep: { type: 'string' } },
});
const password = 'bench';
const home = options.keep ?? (await mkdtemp(join(tmpdir(), 'nightkeep-bench-')));
const files = join(home, 'files');
await mkdir(files, { recursive: true });
process.stderr.write(`making 10,000 texts and 20 large files in ${files}\n`);
await writeFiles(files);
const repository = join(home, 'repository');
const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(home, 'cache') };
await measure({ command: 'restic', args: ['init'], env });
await measure({ command: 'restic', args: ['backup', '--quiet', files], env });
const costs = await compareRestores({ home, repository, password, rounds: Number(options.rounds) });
if (options.json) console.log(JSON.stringify(costs));
else console.table({ restore: costs });
if (options.keep === undefined) await rm(home, { recursive: true });
