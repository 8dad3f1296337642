#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCommand } = await import('./cli/run-command.ts');
process.exit(await runCommand(process.argv.slice(2)));
