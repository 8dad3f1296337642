import { describeConsentFaults, describeTakenRole } from '../consent-faults.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeConsentFaults);
onDemo(describeTakenRole, '26.4');
