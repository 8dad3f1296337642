import { describeSessions } from '../sessions.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeSessions);
