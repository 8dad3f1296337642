import { describeMishaps, describeTakenRole } from '../../scenarios/mishaps.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeMishaps);
onDemo(describeTakenRole, '26.4');
