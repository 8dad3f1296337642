import type { BackUpRequest, Queues } from '../../src/queues.ts';

/** A queue that only remembers, in `requests`, what was put into it. */
export function rememberingQueues(requests: BackUpRequest[]): Queues {
  return {
    connection: { kind: 'postgres', options: {} },
    backUps: {
      enqueue: async (more) => void requests.push(...more),
      counts: async () => ({ waiting: requests.length, active: 0, delayed: 0 }),
      clear: async () => void requests.splice(0),
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
