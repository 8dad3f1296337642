import { describeLeaving } from '../scenarios/leaving.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeLeaving);
