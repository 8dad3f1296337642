import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';
import { describeBackend } from './contract.ts';

let opened: AsyncDisposableStack;
let conditional: MemoryS3;
let plain: MemoryS3;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  conditional = opened.use(await startMemoryS3());
  plain = opened.use(await startMemoryS3({ isConditional: false }));
});
afterAll(() => opened.disposeAsync());

const newPlace = async (server: MemoryS3) => opened.use(openTestBucket(server.origin)).open(`below/${randomUUID()}`);

describeBackend('S3, on a server that refuses names that are taken', () => newPlace(conditional));
describeBackend('S3, on one that does not', () => newPlace(plain));
