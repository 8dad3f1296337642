import { demo } from '../../scenarios/demo.ts';
import { describeMishaps } from '../../scenarios/mishaps.ts';

describeMishaps(demo);
