/** `npm run test:chaos -- [--minutes N] [--seed S] [vitest options]`: nights on machines of their own, to which things happen. */
import { runWithNumbers } from './suite/run-with-numbers.ts';

runWithNumbers('chaos', { '--minutes': 'CHAOS_MINUTES', '--seed': 'CHAOS_SEED' });
