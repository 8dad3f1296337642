import { describeClients } from '../../scenarios/clients.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeClients);
