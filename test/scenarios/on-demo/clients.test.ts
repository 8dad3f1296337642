import { describeClients } from '../clients.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeClients);
