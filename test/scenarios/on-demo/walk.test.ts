import { describeWalk } from '../walk.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeWalk);
