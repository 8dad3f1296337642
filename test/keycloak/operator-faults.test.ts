import { describeOperatorFaults } from '../scenarios/operator-faults.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeOperatorFaults);
