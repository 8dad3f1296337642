import { describeLifespans } from '../../scenarios/lifespans.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLifespans);
