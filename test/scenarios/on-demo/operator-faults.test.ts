import { describeOperatorFaults } from '../operator-faults.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeOperatorFaults);
