/** `npm run test:faults -- [--seeds N] [--seed S] [--nights N] [--kills N] [vitest options]`: the fault suite, with as many stories, nights and kills as wanted. */
import { runWithNumbers } from './suite/run-with-numbers.ts';

runWithNumbers('faults', {
  '--seeds': 'FAULT_SEEDS',
  '--seed': 'FAULT_SEED',
  '--nights': 'FAULT_NIGHTS',
  '--kills': 'FAULT_KILLS',
});
