import { describeLifespans } from '../lifespans.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLifespans);
