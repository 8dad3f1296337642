import { describeConsent } from '../../scenarios/consent.ts';
import { onKeycloak } from '../on-keycloak.ts';

onKeycloak('in Chromium', describeConsent);
