import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { AppError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { openQueues, type Queues } from '../../../src/queues/queues.ts';
import { createApp } from '../../../src/web/app.ts';
import { queueBoardPath } from '../../../src/web/queue-board.ts';
import { workOn } from '../../../worker/work-on.ts';
import { secretName } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { redisServer, startRedis } from '../../support/servers/redis.ts';

/** Of what the board answers, what these tests look at. */
interface Board {
  jobs: { id: string }[];
}

const queue = `${queueBoardPath}/api/queues/back-ups`;
const places = [
  ['PostgreSQL', openPostgres],
  ['Redis', openRedis],
] as const;

async function openPostgres() {
  const database = await openTestDatabase({ empty: true });
  return { postgresUrl: database.url, close: () => database[Symbol.asyncDispose]() };
}

async function openRedis() {
  const redis = await startRedis(redisServer ?? '');
  return {
    postgresUrl: 'postgres://nowhere.invalid/',
    redisUrl: redis.url,
    close: () => redis[Symbol.asyncDispose](),
  };
}

describe.for(places.filter(([name]) => name !== 'Redis' || redisServer !== undefined))(
  'Bull Board on a queue in %s',
  ([, openPlace]) => {
    const opened = new AsyncDisposableStack();
    let pages: Pages;
    let queues: Queues;
    let alice: SignedIn;
    let operator: SignedIn;

    beforeAll(async () => {
      pages = opened.use(await openPages());
      const { close, ...settings } = await openPlace();
      opened.defer(close);
      queues = opened.use(await openQueues({ ...settings, prefix: 'nightkeep_board', log: silentLog }));
      alice = await pages.newPerson();
      operator = await pages.newPerson({ roles: ['operator'] });
      await queues.backUps.pause();
      await queues.backUps.enqueue([
        { runId: 'one', attempt: 0 },
        { runId: 'two', attempt: 0, delayMs: 600_000 },
      ]);
    });
    afterAll(() => opened.disposeAsync());

    const before = (mode: Pages['resources']['config']['queueBoard']) => {
      const { resources } = pages;
      return createApp({ ...resources, queues, config: { ...resources.config, queueBoard: mode } });
    };
    const visit = ({ cookies }: Pick<Visitor, 'cookies'>, mode: Parameters<typeof before>[0] = 'read-only') => {
      const visitor = openVisitor(pages.resources, before(mode));
      for (const [name, value] of cookies) visitor.cookies.set(name, value);
      return visitor;
    };
    const jobs = async (visitor: Visitor) => {
      const answer = await visitor.send(`${queueBoardPath}/api/queues?activeQueue=back-ups&jobsPerPage=10`);
      expect(answer.status).toBe(200);
      const { queues: found }: { queues: Board[] } = JSON.parse(await answer.text());
      return found[0] ?? expect.unreachable();
    };

    test('its page, files and answers are for operators alone', async () => {
      const page = await (await visit(operator).send(queueBoardPath)).text();
      const files = [...page.matchAll(/(?:src|href)="(static[^"]+)"/g)].map(([, path]) => `${queueBoardPath}/${path}`);
      expect(files.length).toBeGreaterThan(4);
      for (const path of [
        queueBoardPath,
        `${queueBoardPath}/queue/back-ups`,
        `${queueBoardPath}/api/queues`,
        ...files,
      ]) {
        expect((await visit({ cookies: new Map() }).send(path)).headers.get('location')).toMatch(/^\/login/);
        expect((await visit(alice).send(path)).status).toBe(403);
        expect((await visit(operator).send(path)).status).toBe(200);
      }
      expect((await visit(operator, 'off').send(queueBoardPath)).status).toBe(404);
      expect((await visit(operator).send(`${queueBoardPath}/static/%2e%2e%2f%2e%2e/package.json`)).status).toBe(404);
    });

    test('fetches nothing from elsewhere, and runs no script but its own', async () => {
      const answer = await visit(operator).send(queueBoardPath);
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self';");
      expect(await answer.text()).not.toMatch(/(src|href)="(https?:)?\/\//);
    });

    test('shows jobs that wait, in a paused queue too, and of a job that failed no more than ids and times', async () => {
      const found = await jobs(visit(operator));
      expect(found).toMatchObject({ isPaused: true, readOnlyMode: true, counts: { waiting: 1, delayed: 1 } });
      expect(found.jobs.map(({ id }) => id).toSorted()).toEqual(['run-one-0', 'run-two-0']);
      await queues.backUps.resume();
      const fail = () => Promise.reject(new AppError('queue/unavailable', secretName, { retry: { afterMs: 600_000 } }));
      const work = await workOn(queues.connection, fail, { concurrency: 1, clock: systemClock(), log: silentLog });
      await expect.poll(async () => (await queues.backUps.counts()).delayed).toBe(2);
      await work.close(0);
      const [failed] = (await jobs(visit(operator))).jobs.filter(({ id }) => id === 'run-one-0');
      expect(failed).toMatchObject({ data: { runId: 'one' }, failedReason: 'See the run.', stacktrace: [] });
      const more = { runId: 'three', path: secretName };
      const byHand = await queues.bullmq.add('back-up', more, { jobId: 'by-hand', delay: 600_000 });
      await byHand.log(secretName);
      const told = await jobs(visit(operator));
      expect(told.jobs.find(({ id }) => id === 'by-hand')).toMatchObject({ data: { runId: 'three' } });
      expect(JSON.stringify(told)).not.toContain('Divorce');
      for (const id of ['run-one-0', 'by-hand'])
        for (const path of [`${queue}/${id}`, `${queue}/${id}/logs`, `${queue}/${id}/flow`, `${queue}/workers`]) {
          const text = await (await visit(operator).send(path)).text();
          expect(text).not.toContain('Divorce');
        }
      await byHand.remove();
    });

    test('answers no more jobs at once than a page has room for, whatever is asked for', async () => {
      const many = Array.from({ length: 1_100 }, (_, number) => ({ runId: `run ${number}`, attempt: 0 }));
      await queues.backUps.enqueue(many);
      const asked = `${queueBoardPath}/api/queues?activeQueue=back-ups&status=waiting&jobsPerPage=100000`;
      const { queues: found } = JSON.parse(await (await visit(operator).send(asked)).text());
      expect(found[0]).toMatchObject({ counts: { waiting: expect.any(Number) } });
      expect(found[0].counts.waiting).toBeGreaterThanOrEqual(1_100);
      expect(found[0].jobs).toHaveLength(1_000);
    });

    test('changes nothing unless that is enabled, and then only for who sends its token, on record', async () => {
      const remove = async (visitor: Visitor, token: string | undefined) =>
        visitor.send(`${queue}/run-two-0/clean`, {
          method: 'PUT',
          headers: token === undefined ? {} : { 'x-xsrf-token': token },
        });
      const given = async (visitor: Visitor) => {
        await visitor.send(queueBoardPath);
        return visitor.cookies.get('XSRF-TOKEN');
      };
      expect(await given(visit(operator))).toBeUndefined();
      expect((await remove(visit(operator), await operator.csrf())).status).toBe(403);
      const able = visit(operator, 'writable');
      const token = await given(able);
      expect((await remove(able, undefined)).status).toBe(403);
      expect((await remove(able, await alice.csrf())).status).toBe(403);
      expect((await remove(visit(alice, 'writable'), token)).status).toBe(403);
      expect((await queues.backUps.counts()).delayed).toBe(2);
      expect((await remove(able, token)).status).toBe(204);
      expect((await queues.backUps.counts()).delayed).toBe(1);
      expect(await pages.resources.database.audit.findMany({ where: { act: 'queue-changed' } })).toMatchObject([
        { by: `operator:${await operator.userId()}`, about: 'PUT /api/queues/back-ups/run-two-0/clean' },
      ]);
    });

    test.each([
      'api/queues?activeQueue=none&status=none&page=-1&jobsPerPage=1e9',
      'api/queues?activeQueue=back-ups&page=NaN&jobsPerPage=0&jobsPerPage=x',
      'api/queues?activeQueue[]=a&activeQueue[]=b',
      'api/queues/none',
      'api/queues/none/none',
      'api/queues/back-ups/none',
      'api/queues/back-ups/%zz',
      'api/queues/back-ups/__proto__/logs',
      'api/none',
      'queue/%3Cscript%3E',
      'static/%2e%2e/%2e%2e/package.json',
    ])('has no error of its own for what is asked wrongly: %s', async (path) => {
      for (const [mode, method, body] of [
        ['read-only', 'GET', undefined],
        ['writable', 'PUT', '{"cut":'],
        ['writable', 'POST', '[]'],
      ] as const) {
        const able = visit(operator, mode);
        await able.send(queueBoardPath);
        const token = able.cookies.get('XSRF-TOKEN') ?? '';
        const headers = { 'x-xsrf-token': token, ...(body !== undefined && { 'content-type': 'application/json' }) };
        const init = { method, headers, ...(body !== undefined && { body }) };
        const answer = await able.send(`${queueBoardPath}/${path}`, init);
        expect(answer.status, `${method} ${path}`).toBeLessThan(500);
        expect(await answer.text()).not.toContain('node_modules');
      }
    });
  },
);
