import { describeMishaps } from '../../scenarios/mishaps.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeMishaps);
