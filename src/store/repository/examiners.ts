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

/** Examine packs, in threads of their own once it is worth while. It throws when a thread died. */
export interface Examiners extends PackExaminer, Disposable {
  /** How many packs keep them busy. */
  readonly width: number;
}

/** Each examines one pack, and a piece of another waits for it. */
const mostThreads = 4;
/** What is examined before a thread would have started: many a check reads one small pack. */
const examinedHere = 8 * 1024 * 1024;
/** A piece of a usual pack is not longer than the pack. */
const usualPack = 16 * 1024 * 1024;
/** Besides its blobs the last piece has the header. */
const usualHeader = 64 * 1024;

/**
 * As many threads as there are processors beside that of the caller, up to four, whose own thread examines what they have no room for.
 * Where so many bytes in all are worth it, they start at once, while the caller does other things first; otherwise each when it is needed.
 */
export function openExaminers(
  masterKey: MasterKey,
  { expectedBytes = 0, longestPiece }: { readonly expectedBytes?: number; readonly longestPiece: number },
): Examiners {
  const most = Math.min(availableParallelism() - 1, mostThreads);
  const width = most + 2;
  const memory = openReadMemory(2 * width, Math.min(longestPiece, usualPack) + usualHeader);
  const start = () => openThread(masterKey, { longestPiece, memory });
  const worth = Math.floor(expectedBytes / examinedHere);
  const threads = Array.from({ length: Math.min(most, worth) }, start);
  const here = openHere(masterKey, { longestPiece, memory });
  let left = threads.length > 0 ? 0 : examinedHere;
  const idlest = () => {
    const [one = here] = [...threads, here].toSorted((a, b) => a.load - b.load);
    if (one !== here || threads.length === most) return one;
    const another = start();
    threads.push(another);
    return another;
  };
  return {
    width,
    memory,
    longestPiece,
    examine: (pack, size) => {
      left -= size;
      return (left < 0 ? idlest() : here).examine(pack, size);
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
