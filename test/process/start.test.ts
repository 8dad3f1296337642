import { access } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { eventsOf, eventually, type Nightkeep, nightkeep } from '../support/harness/nightkeep.ts';
import { openOtlpSink } from '../support/servers/otlp-sink.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation();
});
afterAll(() => installation?.[Symbol.asyncDispose]());

const answers = async (path: string) => (await fetch(new URL(path, installation.url))).text();

test.each(['SIGTERM', 'SIGINT'] as const)('it says where it listens, answers, and ends well at %s', async (signal) => {
  await using service = await installation.start();
  expect(await answers('/livez')).toBe('ok');
  expect(await answers('/readyz')).toBe('ok');
  service.signal(signal);
  const { port, href } = installation.url;
  const { code, stdout, stderr } = await service.ended;
  const [listens, reached, setUp, ...more] = stdout.split('\n');
  expect(setUp).toMatch(new RegExp(`^Set it up at ${href}setup with the token [\\w-]{22}$`));
  expect({ code, told: [listens, reached, ...more], events: eventsOf(stderr) }).toEqual({
    code: 0,
    told: [`Nightkeep listens on http://127.0.0.1:${port}/`, `Browsers reach it at ${href}`, ''],
    events: [],
  });
  const [started] = stderr.split('\n').map((line) => JSON.parse(line || '{}'));
  expect(started).toMatchObject({ version, roles: ['web', 'worker'], address: `http://127.0.0.1:${port}/` });
});

test('with nothing set it serves the first-run page alone, to whoever has the token that it printed', async () => {
  await using service = nightkeep(['start'], { PORT: '0' }, installation.here);
  await eventually(() => service.stdout.includes('Set it up at'));
  const [, address = '', token = ''] = /Set it up at (\S+) with the token (\S+)/.exec(service.stdout) ?? [];
  const ask = async (typed: string) =>
    (await fetch(address, { method: 'POST', body: new URLSearchParams({ token: typed }) })).text();
  expect(await ask('another')).not.toContain('FILES_URL is missing');
  expect(await ask(token)).toContain('FILES_URL is missing');
  service.signal('SIGTERM');
  expect(await service.ended).toMatchObject({ code: 0, stderr: '' });
});

async function expectGoodEnd(service: Nightkeep): Promise<void> {
  const { code, stderr } = await service.ended;
  expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: [] });
}

describe('a connection does not hold it up', () => {
  const cases: [string, string, string][] = [
    ['on which nothing was asked', '', '3600'],
    ['on which half a question was asked', 'GET / HTTP/1.1\r\nHost: nightkeep\r\n', '3600'],
    ['that is kept for further questions', 'GET /livez HTTP/1.1\r\nHost: nightkeep\r\n\r\n', '3600'],
    [
      'whose question does not end within the time of grace',
      'POST /backchannel-logout HTTP/1.1\r\nHost: nightkeep\r\nContent-Length: 100\r\n\r\nlogout_token',
      '1',
    ],
  ];
  test.each(cases)('%s', async (_, question, GRACE_SECONDS) => {
    await using service = await installation.start({ GRACE_SECONDS });
    const socket = await ask(question);
    // The server has read the question once it has answered one that came later.
    await answers('/readyz');
    service.signal('SIGTERM');
    await expectGoodEnd(service);
    socket.destroy();
  });

  function ask(question: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(installation.url.port), installation.url.hostname, () =>
        question === '' ? resolve(socket) : socket.write(question, () => resolve(socket)),
      );
      socket.on('error', reject);
    });
  }
});

describe('with the embedded database', () => {
  const settings = () => {
    const { DATABASE_URL: _, ...rest } = installation.settings;
    return { ...rest, DATA_DIR: join(installation.folder, 'embedded') };
  };
  const runs = () =>
    access(join(installation.folder, 'embedded', 'postgres', 'data', 'postmaster.pid')).then(
      () => true,
      () => false,
    );

  test('whoever is asked to end while it starts ends in good order, the database too', async () => {
    await using service = nightkeep(['start'], settings(), installation.here);
    await eventually(runs);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect({ code, events: new Set(eventsOf(stderr)) }).toEqual({ code: 0, events: new Set(['migration.applied']) });
    expect(await runs()).toBe(false);
  });

  test('whose terminal is closed ends in good order', async () => {
    await using service = nightkeep(['start'], settings(), installation.here);
    await service.started();
    service.signal('SIGHUP');
    await expectGoodEnd(service);
    expect(await runs()).toBe(false);
  });

  test('Ctrl-C, which all processes of a terminal get, does not take the database away first', async () => {
    await using service = nightkeep(['start'], settings(), installation.here);
    await service.started();
    service.signalGroup('SIGINT');
    await expectGoodEnd(service);
    expect(await runs()).toBe(false);
  });

  test('a command that Ctrl-C ends leaves no database running', async () => {
    await using command = nightkeep(['enroll', 'device', '--yes'], settings(), installation.here);
    await eventually(() => command.stdout.includes('The code is valid until'));
    command.signalGroup('SIGINT');
    expect(await command.ended).toMatchObject({ code: null });
    expect(await runs()).toBe(false);
  });
});

describe('settings that are allowed and hardly meant are warned of', () => {
  test.each([
    [
      'a misspelt one',
      { OIDC_ISSUR: 'x' },
      'OIDC_ISSUR is not a setting and changes nothing. Did you mean OIDC_ISSUER?',
    ],
    [
      'an address at another port',
      { PUBLIC_URL: 'http://localhost:2' },
      'PUBLIC_URL is http://localhost:2, but PORT is',
    ],
    ['one folder for everybody', { FILES_URL: 'http://127.0.0.1:1/' }, 'FILES_URL names no claim in braces'],
  ])('%s', async (_, changes, told) => {
    await using service = await installation.start(changes);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: ['settings.doubtful'] });
    expect(JSON.parse(stderr.split('\n')[0] ?? '')).toMatchObject({
      level: 'warn',
      warning: expect.stringContaining(told),
    });
  });
});

describe('traces', () => {
  /** Has a process tell each module of OpenTelemetry that it loads. */
  const telling = `--import=data:text/javascript,${encodeURIComponent(
    "import { registerHooks } from 'node:module'; registerHooks({ resolve: (name, context, next) => { if (name.startsWith('@opentelemetry')) console.log('loads ' + name); return next(name, context); } });",
  )}`;

  test('are sent where a collector is named, the last of them when it ends', async () => {
    await using sink = await openOtlpSink();
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint.href, NODE_OPTIONS: telling };
    await using service = await installation.start(traced);
    await answers('/');
    await answers('/livez');
    service.signal('SIGTERM');
    const { code, stdout } = await service.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('loads @opentelemetry/sdk-trace');
    expect(sink.spans().map(({ name }) => name)).toEqual(['GET /']);
  });

  test('are nothing where none is: no library that sends them is loaded', async () => {
    await using service = await installation.start({ NODE_OPTIONS: telling });
    await answers('/');
    service.signal('SIGTERM');
    // Prisma loads the words that they speak in, @opentelemetry/api, for itself.
    expect((await service.ended).stdout).not.toMatch(/loads @opentelemetry\/(?!api)/);
  });
});
