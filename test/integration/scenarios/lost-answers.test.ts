import { demo } from '../../scenarios/demo.ts';
import { describeLostAnswers } from '../../scenarios/lost-answers.ts';

describeLostAnswers(demo);
