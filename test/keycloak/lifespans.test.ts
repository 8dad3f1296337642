import { describeLifespans } from '../scenarios/lifespans.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeLifespans);
