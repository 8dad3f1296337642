import { describeSessions } from '../../scenarios/sessions.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeSessions);
