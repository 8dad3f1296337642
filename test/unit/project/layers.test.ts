import { describe, expect, test } from 'vitest';
import { findViolations } from '../../../scripts/layers/check.ts';
import { readModule } from '../../../scripts/layers/module.ts';

const violationsOf = (files: Record<string, string>) =>
  findViolations(Object.entries(files).map(([path, source]) => readModule(path, source)));
const reasons = (path: string, source: string) => violationsOf({ [path]: source }).map((violation) => violation.reason);

describe('an import against the layers is refused with its reason', () => {
  test.each([
    ['the ground from the domain', 'src/log.ts', '../src/domain/run.ts', /ground.*imports nothing of our own/],
    ['the domain from a wing', 'src/domain/run.ts', '../database/runs.ts', /domain is pure/],
    ['one wing from another', 'src/oidc/exchange.ts', '../vault/seal.ts', /meets in a flow, not in oidc/],
    [
      'a wing from the settings',
      'src/sources/dav/source.ts',
      '../../config/config.ts',
      /meets in a flow, not in sources/,
    ],
    ['a wing from the queue', 'src/database/nights/run-leases.ts', '../../queues/queues.ts', /not in database/],
    ['the queue from the database', 'src/queues/queues.ts', '../database/runs.ts', /ids only/],
    ['the settings from a wing', 'src/config/config.ts', '../vault/keyring.ts', /config hands plain values on/],
    ['resources from a flow', 'src/resources.ts', './flows/heal.ts', /flows and rooms use them/],
    ['a flow from a room', 'src/flows/nights/back-up.ts', '../../web/session.ts', /knows none of them/],
    ['a page from the worker', 'src/web/routes.ts', '../../worker/main.ts', /Rooms stand beside each other/],
    ['the worker from a page', 'worker/nightly.ts', '../src/web/routes.ts', /Rooms stand beside each other/],
    ['a command from the inside of the worker', 'src/cli/start.ts', '../../worker/nightly.ts', /entry file/],
    ['main from a flow', 'src/main.ts', './flows/heal.ts', /hand over to cli/],
    ['our own code from the demo', 'src/flows/heal.ts', '../../demo/main.ts', /knows none of them/],
    ['the demo from the tests', 'demo/main.ts', '../test/support/servers/postgres.ts', /knows neither/],
    ['the format from a backend', 'src/store/format/blob.ts', '../backend/local.ts', /bytes in and bytes out/],
    ['the format from the domain', 'src/store/format/blob.ts', '../../domain/run.ts', /nothing but the ground/],
    ['a backend from the format', 'src/store/backend/local.ts', '../format/blob.ts', /knows nothing of blobs/],
    ['the repository from the archiver', 'src/store/repository/prune.ts', '../archiver/tree.ts', /stand on the repo/],
    ['the archiver from the repository', 'src/store/archiver/tree.ts', '../repository/open.ts', /declares itself/],
    ['the restorer from the archiver', 'src/store/restorer/zip.ts', '../archiver/tree.ts', /declares itself/],
  ])('%s', (_case, path, target, reason) => {
    for (const source of [
      `import { it } from '${target}';`,
      `import type { It } from '${target}';`,
      `const it = await import('${target}');`,
      `type It = import('${target}').It;`,
      `new Worker(new URL('${target}', import.meta.url));`,
    ])
      expect(reasons(path, source), source).toEqual([expect.stringMatching(reason)]);
  });
});

describe('a door opened by others than its keepers is refused with its reason', () => {
  test.each([
    ['the environment', 'src/cli/start.ts', 'process.env.HOME', /Settings are read/],
    ['the environment, taken apart', 'worker/main.ts', 'const { env } = process;', /Settings are read/],
    ['the environment, imported', 'src/log.ts', "import { env } from 'node:process';", /Settings are read/],
    ['the time of day', 'src/flows/heal.ts', 'const at = Date.now();', /Time comes from a Clock/],
    ['the time of day as a Date', 'src/web/page.ts', 'const at = new Date();', /Time comes from a Clock/],
    ['a timer', 'worker/main.ts', 'setTimeout(() => {}, 5);', /Time comes from a Clock/],
    ['a timer module', 'src/oidc/issuer.ts', "import { setTimeout } from 'node:timers/promises';", /from a Clock/],
    ['Prisma', 'src/flows/heal.ts', "import { PrismaPg } from '@prisma/adapter-pg';", /SQL stay in src\/database/],
    ['SQL', 'src/web/page.ts', "import pg from 'pg';", /SQL stay in src\/database/],
    ['a query', 'src/flows/heal.ts', 'await database.plan.findUnique({ where });', /Queries stand in src\/datab/],
    ['a query of a part', 'src/cli/runs.ts', 'const { run } = database; await run.count();', /Queries stand/],
    ['a query of the resources', 'worker/main.ts', 'await resources.database.circuit.delete({ where });', /Queries/],
    ['a query of a renamed table', 'src/web/page.ts', 'const table = database.run; await table.findMany();', /Queries/],
    ['raw SQL', 'src/web/page.ts', 'await database.$queryRaw`SELECT 1`;', /Queries stand/],
    ['a transaction', 'src/flows/heal.ts', 'await (await open()).$transaction(work);', /Queries stand/],
    [
      'a transaction beside the door',
      'src/database/nights/run-leases.ts',
      'await database.$transaction(work);',
      /one door/,
    ],
    ['OpenID Connect', 'src/web/login.ts', "import * as client from 'openid-client';", /spoken in src\/oidc/],
    ['JOSE', 'src/web/session.ts', "import { jwtVerify } from 'jose';", /Keys and tokens/],
    ['the queue', 'src/flows/heal.ts', "import { Queue } from 'bullmq';", /queue is a cache with one door/],
    ['Redis', 'src/web/page.ts', "import { Redis } from 'ioredis';", /queue is a cache with one door/],
    ['HTTP connections', 'src/web/page.ts', "import { Pool } from 'undici';", /HTTP with connections/],
    ['files', 'src/sources/dav/source.ts', "import { open } from 'node:fs/promises';", /Files are touched/],
    ['ciphers', 'src/web/session.ts', "import { createCipheriv } from 'node:crypto';", /Ciphers, key derivation/],
    ['all of crypto', 'src/web/session.ts', "import crypto from 'node:crypto';", /name randomUUID/],
    ['web crypto', 'src/oidc/exchange.ts', 'crypto.subtle.digest("SHA-256", it);', /Raw cryptography/],
    ['a package without a door', 'src/log.ts', "import left from 'left-pad';", /Each outside package has one door/],
  ])('%s', (_case, path, source, reason) => {
    expect(reasons(path, source)).toEqual([expect.stringMatching(reason)]);
  });

  test.each([
    ['src/config/environment.ts', 'export const at = process.env.HOME;'],
    ['src/clock.ts', 'setInterval(() => Date.now(), 5);'],
    ['src/web/page.ts', "import { randomUUID, randomBytes } from 'node:crypto'; const at = new Date(5);"],
    ['src/vault/seal.ts', "import { createCipheriv } from 'node:crypto';"],
    ['src/database/nights/plans.ts', 'await database.plan.findMany(); await database.$queryRaw`SELECT 1`;'],
    ['src/database/client.ts', 'await database.$transaction(work);'],
    [
      'src/flows/consent/keep-consent.ts',
      'await transaction(database, work); known.delete(id); Map.groupBy(rows, idOf);',
    ],
    ['test/integration/x.ts', 'await database.plan.findMany();'],
    ['src/queues/queues.ts', "import { Queue } from 'bullmq'; import { isAppError } from '../errors.ts';"],
    [
      'src/cli/start.ts',
      "import { startWorker } from '../../worker/main.ts'; import { heal } from '../flows/heal.ts';",
    ],
    ['demo/main.ts', 'setTimeout(() => Date.now(), Number(process.env.PAUSE));'],
  ])('but not to its keepers: %s', (path, source) => {
    expect(violationsOf({ [path]: source })).toEqual([]);
  });
});

describe('what is returned where something is in use', () => {
  const held = 'await using it = await open();';
  test.each([
    ['in the function', `async () => { ${held} return work(it); }`],
    ['in a block of it', `async function f() { if (a) { ${held} return it.work(); } }`],
    ['in a block within', `async () => { using it = open(); try { return work(it); } finally {} }`],
    ['in a method', `({ run: async () => { ${held} return work(it); } })`],
  ])('is awaited: %s', (_case, source) => {
    expect(reasons('src/cli/grants.ts', source)).toEqual([expect.stringMatching(/await it/)]);
  });

  test.each([
    ['awaited', `async () => { ${held} return await work(it); }`],
    ['no call', `async () => { ${held} const done = work(it); return done; }`],
    ['nothing asynchronous', '() => { using it = open(); return work(it); }'],
    ['after the block', `async () => { { ${held} } return work(); }`],
    ['of another function', `async () => { ${held} const f = async () => { return work(); }; await f(it); }`],
  ])('may be anything else: %s', (_case, source) => {
    expect(reasons('src/cli/grants.ts', source)).toEqual([]);
  });
});

describe('the shape of the modules', () => {
  test('a cycle is refused with its reason and its way, types included', () => {
    const violations = violationsOf({
      'src/domain/grant.ts': "import type { Run } from './run.ts';",
      'src/domain/plan.ts': "import { grant } from './grant.ts';",
      'src/domain/run.ts': "import { plan } from './plan.ts';",
    });
    expect(violations).toEqual([
      expect.objectContaining({
        what: 'closes a cycle: src/domain/grant.ts → src/domain/run.ts → src/domain/plan.ts → src/domain/grant.ts',
        reason: expect.stringMatching(/cannot be read or tried alone/),
      }),
    ]);
  });

  test.each(['export { run } from "./run.ts";', 'export * from "./run.ts";', 'export type { Run } from "./run.ts";'])(
    'a file that passes on what another one exports is refused: %s',
    (source) => {
      expect(reasons('src/domain/plan.ts', source)).toEqual([expect.stringMatching(/hides where things live/)]);
    },
  );

  test.each(['src/utils/text.ts', 'src/web/helpers.ts', 'worker/services/run.ts', 'test/common/x.ts'])(
    'a name of no meaning is refused: %s',
    (path) => {
      expect(reasons(path, '')).toEqual([expect.stringMatching(/says nothing/)]);
    },
  );

  test('a violation names the file, the line and what is wrong', () => {
    const [violation] = violationsOf({ 'src/domain/run.ts': "\n\nimport { it } from '../web/page.ts';" });
    expect(violation).toMatchObject({ path: 'src/domain/run.ts', line: 3, what: 'imports src/web/page.ts' });
  });
});
