import { describeLostAnswers } from '../scenarios/lost-answers.ts';
import { onKeycloak } from './on-keycloak.ts';

onKeycloak('without scripts', describeLostAnswers);
