/** `npm run test:fuzz -- [--seconds N] [--seed S] [vitest options]`: the fuzz suite for so many seconds in all, begun with that seed. */
import { runWithNumbers } from './suite/run-with-numbers.ts';

runWithNumbers('fuzz', { '--seconds': 'FUZZ_SECONDS', '--seed': 'FUZZ_SEED' });
