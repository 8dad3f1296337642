import { describeConsentFaults } from '../scenarios/consent-faults.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeConsentFaults);
