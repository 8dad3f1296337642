/** Prunes a repository in a process of its own, to be killed: `node prune-child.ts FOLDER PASSWORD`. */
import { systemClock } from '../../../src/clock.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { prune } from '../../../src/store/pruner/prune.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';

const [folder = '', password = ''] = process.argv.slice(2);
const repository = await openRepository(openLocalBackend(folder), password);
process.stdout.write('begins\n');
await prune(repository, { clock: systemClock(), unusedShare: 0 });
