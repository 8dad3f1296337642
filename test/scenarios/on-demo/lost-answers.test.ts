import { describeLostAnswers } from '../lost-answers.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeLostAnswers);
