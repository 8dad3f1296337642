import { availableParallelism } from 'node:os';
import { startThread } from '../../thread.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { type ExaminePack, type ExaminingTask, examinePack } from './check-pack.ts';
import type { Finding } from './finding.ts';

/** Examine packs, in threads of their own once it is worth while. */
export interface Examiners extends Disposable {
  /** How many packs keep them busy. */
  readonly width: number;
  /** Throws when a thread died. */
  readonly examine: ExaminePack;
}

/** Each thread holds one pack, and another waits for it. */
const mostThreads = 4;
/** What is examined before a thread would have started: many a check reads one small pack. */
const examinedHere = 8 * 1024 * 1024;

/** As many threads as there are processors, up to four; each is started when it is needed. */
export function openExaminers(masterKey: MasterKey): Examiners {
  const most = Math.min(availableParallelism(), mostThreads);
  const threads: ReturnType<typeof openThread>[] = [];
  let left = examinedHere;
  const idlest = () => {
    const thread = threads.toSorted((a, b) => a.load - b.load)[0];
    if (thread !== undefined && (thread.load === 0 || threads.length === most)) return thread;
    const another = openThread(masterKey);
    threads.push(another);
    return another;
  };
  return {
    width: most + 1,
    examine: async (pack, bytes) => {
      left -= bytes.length;
      return left >= 0 ? examinePack(masterKey, pack, bytes) : idlest().examine(pack, ownOf(bytes));
    },
    [Symbol.dispose]: () => {
      for (const { stop } of threads) stop();
    },
  };
}

/** Small buffers share their memory with others, so that it cannot be given away. */
function ownOf(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length
    ? new Uint8Array(buffer)
    : Uint8Array.from(bytes);
}

/** A thread does its tasks in order, and answers each. */
function openThread(masterKey: MasterKey) {
  const thread = startThread(new URL('./examining-thread.ts', import.meta.url), masterKey);
  const waiting: PromiseWithResolvers<Finding[]>[] = [];
  let broken: { readonly error: unknown } | undefined;
  thread.on('message', (findings: Finding[]) => waiting.shift()?.resolve(findings));
  thread.on('error', (error) => {
    broken = { error };
    for (const one of waiting.splice(0)) one.reject(error);
  });
  return {
    get load() {
      return waiting.length;
    },
    examine(pack: IndexedPack, bytes: ExaminingTask['bytes']): Promise<Finding[]> {
      if (broken !== undefined) return Promise.reject(broken.error);
      const answer = Promise.withResolvers<Finding[]>();
      waiting.push(answer);
      thread.postMessage({ pack, bytes } satisfies ExaminingTask, [bytes.buffer]);
      return answer.promise;
    },
    stop: () => void thread.terminate(),
  };
}
