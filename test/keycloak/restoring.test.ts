import { describeRestoring } from '../scenarios/restoring.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeRestoring);
