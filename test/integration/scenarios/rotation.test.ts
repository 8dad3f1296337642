import { describeRotation } from '../../scenarios/rotation.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeRotation);
