import { describeClients } from '../scenarios/clients.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeClients);
