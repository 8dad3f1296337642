import { describeEnrolment } from '../../scenarios/enrolment.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeEnrolment);
