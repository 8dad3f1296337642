import { describeRotation } from '../rotation.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeRotation);
