import { availableParallelism } from 'node:os';
import { startThread } from '../../thread.ts';
import type { MasterKey } from '../format/envelope.ts';
import { openReadMemory, type ReadMemory } from '../format/read-memory.ts';
import { type Answer, doTask, type Outcome, type Task } from './write-batch.ts';

/** Open blobs and write files, in threads of their own once it is worth while. */
export interface Writers extends Disposable {
  /** How many tasks keep them busy, and a store that is far away. */
  readonly width: number;
  /** Where the bytes of tasks are read to. */
  readonly memory: ReadMemory;
  /** Announces bytes that will be written, so that threads start while the first of them are still being looked up. */
  expect(bytes: number): void;
  /** What became of each file of the task. Its bytes are given away. Throws when a thread died. */
  run(task: Task): Promise<readonly Outcome[]>;
}

const mostThreads = 2;
/** A task that it does, and one that waits. */
const mostOfThread = 2;
/** Reads are planned to be no longer, unless one blob is. */
const usualRead = 4 * 1024 * 1024;
/** What is done before a thread would have started: many a restore is of one small file. */
const doneHere = 1024 * 1024;

/**
 * As many threads as there are processors beside that of the caller, up to two; each is started when it is needed. The caller's own thread
 * does what they have no room for.
 */
export function openWriters(masterKey: MasterKey): Writers {
  const most = Math.max(1, Math.min(availableParallelism() - 1, mostThreads));
  const width = most + 2;
  const memory = openReadMemory(width, usualRead);
  const threads: ReturnType<typeof openWriter>[] = [];
  let left = doneHere;
  let expected = 0;
  const idlest = () => {
    const thread = threads.toSorted((a, b) => a.load - b.load)[0];
    if (thread !== undefined && (thread.load === 0 || threads.length === most)) return thread;
    const another = openWriter(masterKey, memory.giveBack);
    threads.push(another);
    return another;
  };
  const doHere = (task: Task) => {
    const outcomes = doTask(masterKey, task);
    if (task.kind === 'write') memory.giveBack(task.bytes?.buffer);
    return outcomes;
  };
  return {
    width,
    memory,
    expect: (bytes) => {
      expected += bytes;
      if (expected > doneHere && threads.length === 0) idlest();
    },
    run: async (task) => {
      left -= task.kind === 'write' ? (task.bytes?.length ?? 0) : doneHere;
      if (left >= 0) return doHere(task);
      const thread = idlest();
      return thread.load < mostOfThread ? thread.run(task) : doHere(task);
    },
    [Symbol.dispose]: () => {
      for (const { stop } of threads) void stop();
    },
  };
}

/** A thread does its tasks in order, and answers each. */
function openWriter(masterKey: MasterKey, giveBack: ReadMemory['giveBack']) {
  const thread = startThread(new URL('./writer-thread.ts', import.meta.url), masterKey);
  const waiting: PromiseWithResolvers<readonly Outcome[]>[] = [];
  let broken: { readonly error: unknown } | undefined;
  thread.on('message', ({ outcomes, memory }: Answer) => {
    giveBack(memory);
    waiting.shift()?.resolve(outcomes);
  });
  thread.on('error', (error) => {
    broken = { error };
    for (const one of waiting.splice(0)) one.reject(error);
  });
  return {
    get load() {
      return waiting.length;
    },
    run(task: Task): Promise<readonly Outcome[]> {
      if (broken !== undefined) return Promise.reject(broken.error);
      const answer = Promise.withResolvers<readonly Outcome[]>();
      waiting.push(answer);
      const buffer = task.kind === 'write' ? task.bytes?.buffer : undefined;
      thread.postMessage(task, buffer === undefined ? [] : [buffer]);
      return answer.promise;
    },
    stop: () => thread.terminate(),
  };
}
