import { openMemoryBackend } from '../../support/memory-backend.ts';
import { describeBackend } from './contract.ts';

describeBackend('memory', async () => openMemoryBackend());
