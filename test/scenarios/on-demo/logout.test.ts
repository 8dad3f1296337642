import { describeLogout } from '../logout.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLogout);
