import { describeConsent } from '../../scenarios/consent.ts';
import { demo } from '../../scenarios/demo.ts';

describeConsent(demo);
