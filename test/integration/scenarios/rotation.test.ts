import { demo } from '../../scenarios/demo.ts';
import { describeRotation } from '../../scenarios/rotation.ts';

describeRotation(demo);
