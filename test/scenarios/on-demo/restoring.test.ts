import { describeRestoring } from '../restoring.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeRestoring);
