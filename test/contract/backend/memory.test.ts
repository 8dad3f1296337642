import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { describeBackend } from './contract.ts';

describeBackend('memory', async () => openMemoryBackend());
