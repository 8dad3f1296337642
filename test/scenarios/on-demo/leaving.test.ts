import { describeLeaving } from '../leaving.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLeaving);
