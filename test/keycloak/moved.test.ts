import { describeMovedProvider } from '../scenarios/moved-provider.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeMovedProvider);
