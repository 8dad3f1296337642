import { describeMishaps, describeTakenRole } from '../mishaps.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeMishaps);
onDemo(describeTakenRole, '26.4');
