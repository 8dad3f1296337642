import { describeRotation } from '../scenarios/rotation.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeRotation);
