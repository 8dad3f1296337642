import { describeRefusals } from '../scenarios/refusals.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeRefusals);
