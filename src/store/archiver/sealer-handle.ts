import type { BlobType, DataId } from '../format/ids.ts';
import type { FinishedPack } from '../format/pack.ts';
import { openPieceBuffers } from './piece-buffers.ts';
import { openSealerWaiters } from './sealer-waiters.ts';
import {
  type Added,
  type FromSealer,
  numbersOf,
  type SealedStream,
  type SealingTask,
  type SoFar,
  type ToSealer,
} from './sealing-messages.ts';
import type { StartSealer } from './start-sealer.ts';

/** The handle of one sealer. Writers wait while all buffers are in use, or while too many packs are being stored. */
export interface SealerHandle {
  /** Checks again whether writers may go on. */
  settle(): void;
  /** Bytes on their way; the largest number while writers would have to wait. */
  readonly load: number;
  open(type: BlobType): SealerStream;
  /** Sends what is gathered, which otherwise waits for more as long as a stream is open. */
  post(): void;
  /** Resolves when all that was written until now, except the last bytes of open streams, is in packs and the packs are stored. */
  flush(): Promise<void>;
  /** The same, once no stream is open. */
  finish(): Promise<void>;
  /** Ends the sealer; what is awaited rejects with the reason. Packs on their way to the store are waited for. */
  stop(reason: unknown): Promise<void>;
}

export interface SealerStream {
  /** Copies the bytes. Wait for the promise, where there is one, before writing more. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** The blobs of the stream, once they are sealed; none for trees. */
  end(): Promise<readonly DataId[]>;
  abandon(): void;
  /** The blobs of what was written until about now, without the first `after`, and how many bytes all its blobs have. */
  tell(after: number): Promise<SoFar>;
}

export interface SealerHandleOptions {
  readonly start: StartSealer;
  readonly task: SealingTask;
  /** Stores a pack durably. */
  savePack(pack: FinishedPack): Promise<void>;
  /** Whether the store keeps up; when it does not, packs would only take memory. */
  storeKeepsUp(): boolean;
  onAdded(added: Added): void;
  /** Called with how much longer a thread of its own has had a processor. */
  onProcessor?(ms: number): void;
  /** The sealer died or a pack could not be stored. */
  onFailure(error: unknown): void;
}

/** The size of a buffer where little is expected: a short file fits in one piece, and a night that changes one file needs no more memory. */
const bufferOfLittle = 128 * 1024;

/** Starts a sealer. */
export function openSealerHandle({
  start,
  task,
  savePack,
  storeKeepsUp,
  onAdded,
  onProcessor,
  onFailure,
}: SealerHandleOptions): SealerHandle {
  const sealer = start(task, receive, fail);
  const buffers = openPieceBuffers(
    (buffer, pieces) => {
      const numbers = numbersOf(pieces);
      away++;
      sealer.post({ kind: 'pieces', buffer, pieces: numbers }, buffer, numbers.buffer);
    },
    task.most === undefined ? undefined : bufferOfLittle,
  );
  const waiters = openSealerWaiters();
  let streams = 0;
  let open = 0;
  /** Buffers that the sealer has. */
  let away = 0;
  const packs = new Set<Promise<void>>();
  let soon: NodeJS.Immediate | undefined;

  function receive(message: FromSealer): void {
    if (message.kind === 'sealed') {
      if (message.processorMs !== undefined) onProcessor?.(message.processorMs);
      take(message.buffer, message.streams, message.added);
    } else if (message.kind === 'pack') store(message.pack);
    else if (message.kind === 'told') waiters.told(message.sofar);
    else waiters.finished(storedAll);
    settle();
  }

  function take(buffer: ArrayBuffer, sealed: readonly SealedStream[], added: Added): void {
    buffers.giveBack(buffer);
    away--;
    if (open === 0) postSoon();
    onAdded(added);
    waiters.sealed(sealed);
  }

  function store(pack: FinishedPack): void {
    const save = savePack(pack)
      .then(() => {
        const { buffer } = pack.bytes;
        sealer.post({ kind: 'free-pack-buffer', buffer }, buffer);
      })
      .catch(fail)
      .finally(() => {
        packs.delete(save);
        settle();
      });
    packs.add(save);
  }

  async function storedAll(): Promise<void> {
    await Promise.all(packs);
    if (waiters.broken !== undefined) throw waiters.broken.error;
  }

  const ready = () => buffers.ready && storeKeepsUp();

  /** Wakes those who wait for space. */
  function settle(): void {
    if (ready()) waiters.wake();
  }

  function fail(error: unknown): void {
    waiters.break(error);
    onFailure(error);
  }

  function write(stream: number, type: BlobType, bytes: Uint8Array): Promise<void> | undefined {
    for (let rest = bytes; rest.length > 0; ) {
      if (waiters.broken !== undefined) throw waiters.broken.error;
      if (!ready()) return waiters.space().then(() => write(stream, type, rest));
      rest = rest.subarray(buffers.put(stream, type, rest));
    }
    return undefined;
  }

  async function close(stream: number, type: BlobType, how: 'whole' | 'abandoned'): Promise<void> {
    while (waiters.broken !== undefined || !buffers.ready) await waiters.space();
    buffers.end(stream, type, how);
    open--;
    if (open === 0) postSoon();
  }

  /**
   * Sends the buffered bytes once all that has arrived by now was written, where no stream is open then: nothing more may come for
   * a while. A message for each small file would cost as much as sealing it, so while the sealer is busy with earlier bytes, more
   * are gathered.
   */
  function postSoon(): void {
    if (soon !== undefined) return;
    soon = setImmediate(() => {
      soon = undefined;
      if (open === 0 && away === 0 && waiters.broken === undefined) buffers.post();
    });
  }

  /** Sends a question, after all that was written until now. */
  function ask(question: ToSealer): void {
    if (waiters.broken !== undefined) return;
    buffers.post();
    sealer.post(question);
  }

  function flush(): Promise<void> {
    const finished = waiters.finish();
    ask({ kind: 'finish' });
    return finished;
  }

  return {
    settle,
    get load() {
      return ready() ? buffers.load : Number.MAX_SAFE_INTEGER;
    },
    open(type) {
      const stream = streams++;
      open++;
      return {
        write: (bytes) => write(stream, type, bytes),
        async end() {
          const content = type === 'data' ? waiters.content(stream) : [];
          await close(stream, type, 'whole');
          return content;
        },
        abandon: () => void close(stream, type, 'abandoned').catch(() => undefined),
        tell(after) {
          const told = waiters.tell();
          ask({ kind: 'tell', stream, after });
          return told;
        },
      };
    },
    post() {
      if (waiters.broken === undefined) buffers.post();
    },
    flush,
    async finish() {
      while (open > 0) await waiters.space();
      await flush();
    },
    async stop(reason) {
      waiters.break(reason);
      await Promise.all([sealer.stop(), ...packs]);
    },
  };
}
