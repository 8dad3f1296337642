import { describeLogout } from '../../scenarios/logout.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLogout);
