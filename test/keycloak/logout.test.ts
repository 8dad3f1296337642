import { describeLogout } from '../scenarios/logout.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeLogout);
