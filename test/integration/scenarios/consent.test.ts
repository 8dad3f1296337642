import { describeConsent } from '../../scenarios/consent.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeConsent);
