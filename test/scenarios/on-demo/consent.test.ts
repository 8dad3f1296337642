import { describeConsent } from '../consent.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeConsent);
