import { describeEnrolment } from '../scenarios/enrolment.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('in Chromium', describeEnrolment);
