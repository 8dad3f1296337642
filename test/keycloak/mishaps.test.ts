import { describeMishaps } from '../scenarios/mishaps.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeMishaps);
