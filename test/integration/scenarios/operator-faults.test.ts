import { demo } from '../../scenarios/demo.ts';
import { describeOperatorFaults } from '../../scenarios/operator-faults.ts';

describeOperatorFaults(demo);
