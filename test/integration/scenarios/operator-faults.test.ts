import { describeOperatorFaults } from '../../scenarios/operator-faults.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeOperatorFaults);
