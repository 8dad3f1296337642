#!/usr/bin/env -S node --max-semi-space-size=4 --initial-heap-size=48 --heap-growing-percent=30 --expose-gc
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCommand } = await import('./cli/run-command.ts');
process.exit(await runCommand(process.argv.slice(2)));
