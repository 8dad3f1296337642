import { describeRefusals } from '../../scenarios/refusals.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeRefusals);
