import { availableParallelism } from 'node:os';
import { startThread } from '../../thread.ts';
import { openingBuffers } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { openReadMemory } from '../format/read-memory.ts';
import {
  type Examination,
  type ExaminingAnswer,
  type ExaminingTask,
  examineHere,
  type PackExaminer,
} from './check-pack.ts';
import type { Finding } from './finding.ts';

/** Examine packs, also in threads of their own where it is worth while. It throws when a thread died. */
export interface Examiners extends PackExaminer, Disposable {
  /** How many packs keep them busy. */
  readonly width: number;
  /** Told how many bytes will be examined: the threads that are worth it start at once, while the caller does other things first. */
  expect(bytes: number): void;
}

/** Each examines one pack, and a piece of another waits for it. */
const mostThreads = 4;
/** A thread takes as much of a processor to start, and to have its code compiled, as 100 MiB take to be examined. */
const worthOneThread = 192 * 1024 * 1024;
/** A piece of a usual pack is not longer than the pack. */
const usualPack = 16 * 1024 * 1024;
/** Besides its blobs the last piece has the header. */
const usualHeader = 64 * 1024;

/** The caller's own thread and, if there is enough to examine to be worth it, more: one for each other processor, up to four. */
export function openExaminers(masterKey: MasterKey, { longestPiece }: { readonly longestPiece: number }): Examiners {
  const most = Math.min(availableParallelism() - 1, mostThreads);
  const memory = openReadMemory(2 * (most + 2), Math.min(longestPiece, usualPack) + usualHeader);
  const here = openHere(masterKey, { longestPiece, memory });
  const threads: ReturnType<typeof openThread>[] = [];
  return {
    get width() {
      return threads.length + 2;
    },
    memory,
    longestPiece,
    expect: (bytes) => {
      const worth = Math.min(most, Math.floor(bytes / worthOneThread));
      while (threads.length < worth) threads.push(openThread(masterKey, { longestPiece, memory }));
    },
    examine: (pack, size) => {
      const [idlest = here] = [...threads, here].toSorted((a, b) => a.load - b.load);
      return idlest.examine(pack, size);
    },
    [Symbol.dispose]: () => {
      for (const { stop } of threads) stop();
    },
  };
}

/** How the packs are read. */
type Reading = Pick<PackExaminer, 'longestPiece' | 'memory'>;

/** The calling thread, as one that examines. */
function openHere(masterKey: MasterKey, { longestPiece, memory: { giveBack } }: Reading) {
  const buffers = openingBuffers();
  let load = 0;
  return {
    get load() {
      return load;
    },
    examine(pack: IndexedPack, size: number): Examination {
      const { add, end } = examineHere(masterKey, pack, { size, longestPiece, buffers });
      load += 1;
      return {
        add: async (bytes) => {
          add(bytes);
          giveBack(bytes.buffer);
        },
        end: async () => end(),
        [Symbol.dispose]: () => {
          load -= 1;
        },
      };
    },
  };
}

/** A thread does its tasks in order, and answers each. */
function openThread(masterKey: MasterKey, { longestPiece, memory: { giveBack } }: Reading) {
  const thread = startThread(new URL('./examining-thread.ts', import.meta.url), masterKey);
  const waiting: PromiseWithResolvers<Finding[]>[] = [];
  let broken: { readonly error: unknown } | undefined;
  let begun = 0;
  let load = 0;
  thread.on('message', (answer: ExaminingAnswer) => {
    if ('memory' in answer) giveBack(answer.memory);
    waiting.shift()?.resolve('memory' in answer ? [] : answer.findings);
  });
  thread.on('error', (error) => {
    broken = { error };
    for (const one of waiting.splice(0)) one.reject(error);
  });
  const ask = (task: ExaminingTask): Promise<Finding[]> => {
    if (broken !== undefined) return Promise.reject(broken.error);
    const answer = Promise.withResolvers<Finding[]>();
    waiting.push(answer);
    thread.postMessage(task, task.bytes === undefined ? [] : [task.bytes.buffer]);
    return answer.promise;
  };
  return {
    /** Packs that it examines. */
    get load() {
      return load;
    },
    examine(pack: IndexedPack, size: number): Examination {
      const number = begun++;
      let begin: ExaminingTask['begin'] = { pack, size, longestPiece };
      let isUnderWay = true;
      load += 1;
      const end = async () => {
        isUnderWay = false;
        return ask({ number });
      };
      return {
        add: async (bytes) => {
          const asked = ask({ number, begin, bytes });
          begin = undefined;
          await asked;
        },
        end,
        [Symbol.dispose]: () => {
          load -= 1;
          if (isUnderWay) end().catch(() => undefined);
        },
      };
    },
    stop: () => void thread.terminate(),
  };
}
