import { describeSessions } from '../scenarios/sessions.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeSessions);
