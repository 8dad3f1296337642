import { availableParallelism } from 'node:os';
import { startThread } from '../../thread.ts';
import type { MasterKey } from '../format/envelope.ts';
import { doTask, type Outcome, type Task } from './write-batch.ts';

/** Open blobs and write files, in threads of their own once it is worth while. */
export interface Writers extends Disposable {
  /** How many tasks keep them busy, and a store that is far away. */
  readonly width: number;
  /** What became of each file of the task. Its bytes are given away. Throws when a thread died. */
  run(task: Task): Promise<readonly Outcome[]>;
}

const mostThreads = 2;
/** What is done before a thread would have started: many a restore is of one small file. */
const doneHere = 1024 * 1024;

/** As many threads as there are processors beside that of the caller, up to two; each is started when it is needed. */
export function openWriters(masterKey: MasterKey): Writers {
  const most = Math.max(1, Math.min(availableParallelism() - 1, mostThreads));
  const threads: ReturnType<typeof openWriter>[] = [];
  let left = doneHere;
  const idlest = () => {
    const thread = threads.toSorted((a, b) => a.load - b.load)[0];
    if (thread !== undefined && (thread.load === 0 || threads.length === most)) return thread;
    const another = openWriter(masterKey);
    threads.push(another);
    return another;
  };
  return {
    width: mostThreads + 1,
    run: async (task) => {
      left -= task.kind === 'write' ? (task.bytes?.length ?? 0) : doneHere;
      return left >= 0 ? doTask(masterKey, task) : idlest().run(task);
    },
    [Symbol.dispose]: () => {
      for (const { stop } of threads) void stop();
    },
  };
}

/** A thread does its tasks in order, and answers each. */
function openWriter(masterKey: MasterKey) {
  const thread = startThread(new URL('./writer-thread.ts', import.meta.url), masterKey);
  const waiting: PromiseWithResolvers<readonly Outcome[]>[] = [];
  let broken: { readonly error: unknown } | undefined;
  thread.on('message', (outcomes: readonly Outcome[]) => waiting.shift()?.resolve(outcomes));
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
