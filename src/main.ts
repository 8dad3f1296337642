#!/usr/bin/env -S node --v8-pool-size=1 --max-semi-space-size=8 --initial-heap-size=64 --heap-growing-percent=30 --expose-gc
import { enableCompileCache } from 'node:module';

enableCompileCache();
// Whoever read along may leave (`nightkeep grants | head`): what is under way is still ended in good order.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
  });
const { runCommand } = await import('./cli/run-command.ts');
process.exit(await runCommand(process.argv.slice(2)));
