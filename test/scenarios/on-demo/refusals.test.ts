import { describeRefusals } from '../refusals.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeRefusals);
