import { availableParallelism } from 'node:os';
import { startThread } from '../../thread.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { openReadMemory, type ReadMemory } from '../format/read-memory.ts';
import { type ExaminingAnswer, type ExaminingTask, examinePack, type PackExaminer } from './check-pack.ts';
import type { Finding } from './finding.ts';

/** Examine packs, in threads of their own once it is worth while. It throws when a thread died. */
export interface Examiners extends PackExaminer, Disposable {
  /** How many packs keep them busy. */
  readonly width: number;
}

/** Each thread holds one pack, and another waits for it. */
const mostThreads = 4;
/** What is examined before a thread would have started: many a check reads one small pack. */
const examinedHere = 8 * 1024 * 1024;
/** Packs of restic and of ours are a little over 16 MiB, unless somebody chose larger ones. */
const usualPack = 20 * 1024 * 1024;

/**
 * As many threads as there are processors, up to four. Where so many bytes in all are worth it, they start at once, while the caller does
 * other things first; otherwise each when it is needed.
 */
export function openExaminers(masterKey: MasterKey, expectedBytes = 0): Examiners {
  const most = Math.min(availableParallelism(), mostThreads);
  const width = most + 1;
  const memory = openReadMemory(width, usualPack);
  const start = () => openThread(masterKey, memory.giveBack);
  const worth = Math.floor(expectedBytes / examinedHere);
  const threads = Array.from({ length: Math.min(most, worth) }, start);
  let left = threads.length > 0 ? 0 : examinedHere;
  const idlest = () => {
    const thread = threads.toSorted((a, b) => a.load - b.load)[0];
    if (thread !== undefined && (thread.load === 0 || threads.length === most)) return thread;
    const another = start();
    threads.push(another);
    return another;
  };
  return {
    width,
    memory,
    examine: async (pack, bytes) => {
      left -= bytes.length;
      if (left < 0) return idlest().examine(pack, bytes);
      const findings = examinePack(masterKey, pack, bytes);
      memory.giveBack(bytes.buffer);
      return findings;
    },
    [Symbol.dispose]: () => {
      for (const { stop } of threads) stop();
    },
  };
}

/** A thread does its tasks in order, and answers each. */
function openThread(masterKey: MasterKey, giveBack: ReadMemory['giveBack']) {
  const thread = startThread(new URL('./examining-thread.ts', import.meta.url), masterKey);
  const waiting: PromiseWithResolvers<Finding[]>[] = [];
  let broken: { readonly error: unknown } | undefined;
  thread.on('message', ({ findings, memory }: ExaminingAnswer) => {
    giveBack(memory);
    waiting.shift()?.resolve(findings);
  });
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
