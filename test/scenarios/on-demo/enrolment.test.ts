import { describeEnrolment } from '../enrolment.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeEnrolment);
