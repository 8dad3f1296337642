import type { JobStatus } from '@bull-board/api/typings/app';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import type { Queues } from '../queues/queues.ts';

export const queueBoardPath = '/operator/queues/board';

/** Where the board finds the token that it sends along with what it changes: axios does so by itself for a cookie of that name. */
export const boardToken = { cookie: 'XSRF-TOKEN', header: 'x-xsrf-token' } as const;

/** Jobs of a list at most: the address says how many there are on a page, and a night has as many as there are people. */
const mostJobs = 1_000;

/**
 * Bull Board (https://github.com/felixmosh/bull-board) over the queue. Of a job it shows ids and times: what it failed with may
 * name a file. It is made anew for each request, and its packages are loaded by the first one, so that a process in which
 * nobody opens it does not hold them. Who may open it and change something is for the caller to say.
 */
export async function openQueueBoard(queues: Queues, { readOnly }: { readOnly: boolean }): Promise<Hono> {
  const [{ createBullBoard }, { BullMQAdapter }, { HonoAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/hono'),
  ]);

  class IdsOnly extends BullMQAdapter {
    override async getJob(id: string) {
      const job = await super.getJob(id);
      return job && withIdsOnly(job);
    }

    /** In PostgreSQL, jobs that wait in a paused queue are listed under the second name only. */
    override async getJobs(states: JobStatus[], start?: number, end?: number) {
      const asked: JobStatus[] = states.includes('waiting') ? [...states, 'paused'] : states;
      const last = Math.min(end ?? Number.POSITIVE_INFINITY, (start ?? 0) + mostJobs - 1);
      return (await super.getJobs(asked, start, last)).map(withIdsOnly);
    }

    override async getJobCounts() {
      return { ...(await super.getJobCounts()), waiting: (await queues.backUps.counts()).waiting };
    }

    override async getJobLogs() {
      return [];
    }
  }

  const pages = new HonoAdapter(serveStatic);
  pages.setBasePath(queueBoardPath);
  createBullBoard({
    queues: [new IdsOnly(queues.bullmq, { readOnlyMode: readOnly })],
    serverAdapter: pages,
    options: {
      uiConfig: {
        boardTitle: 'Nightkeep',
        hideDocsLink: true,
        miscLinks: [{ text: 'Back to Nightkeep', url: '/operator/queues' }],
      },
    },
  });
  return new Hono().route(queueBoardPath, pages.registerPlugin());
}

interface Job {
  toJSON(): object;
}

function withIdsOnly<J extends Job>(job: J): J {
  const whole = job.toJSON();
  const toJSON = () => ({
    ...whole,
    data: { runId: runIdOf(whole) },
    progress: 0,
    returnvalue: null,
    stacktrace: [],
    ...('failedReason' in whole && whole.failedReason ? { failedReason: 'See the run.' } : {}),
  });
  return Object.assign(job, { toJSON });
}

function runIdOf(whole: object): string | null {
  const data: unknown = 'data' in whole ? whole.data : undefined;
  const runId: unknown = typeof data === 'object' && data !== null && 'runId' in data ? data.runId : undefined;
  return typeof runId === 'string' ? runId : null;
}
