import { describeLostAnswers } from '../../scenarios/lost-answers.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLostAnswers);
