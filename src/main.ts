#!/usr/bin/env -S node --v8-pool-size=1 --max-semi-space-size=8 --initial-heap-size=64 --heap-growing-percent=30 --expose-gc
import { keepCompiled } from './cli/compile-cache.ts';

keepCompiled();
// Whoever read along may leave (`nightkeep grants | head`), and a disk may be full: what is under way is still ended in good order.
let lost: NodeJS.ErrnoException | undefined;
process.stdout.on('error', (error) => {
  lost ??= error;
});
// A log that cannot be written ends no work: a disk that is full of it would end every night.
process.stderr.on('error', () => undefined);
const { runCommand } = await import('./cli/run-command.ts');
const code = await runCommand(process.argv.slice(2));
// Only then it is known of all that was written whether it could be.
await new Promise((resolve) => process.stdout.write('', resolve));
if (lost !== undefined && lost.code !== 'EPIPE' && code === 0) {
  process.stderr.write(`nightkeep: Not all of the answer could be written to standard output: ${lost.code}.\n`);
  process.exit(1);
}
process.exit(code);
