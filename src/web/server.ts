import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Clock, within } from '../clock.ts';
import { hostInUrl } from '../domain/addresses.ts';
import { AppError } from '../errors.ts';
import { letGoOfSignedOut } from '../flows/snapshots/let-go.ts';
import type { Log } from '../log.ts';
import type { Resources } from '../resources.ts';
import { createApp, createSetupApp } from './app.ts';
import { boundConnections, serverOptions } from './connections.ts';
import type { Setup } from './setup.ts';

export interface WebServer {
  readonly url: URL;
  /** Takes no more requests, gives those under way `graceMs` to end, and cuts off what is left then. */
  close(graceMs: number): Promise<void>;
}

/** At the latest this long after a session ended elsewhere, the repository of its person is let go of. */
const letGoEveryMs = 30_000;

/** Serves the pages at the configured host and port; port 0 takes a free one. Throws `config/invalid` where it may not. */
export async function serve(resources: Resources, setup?: Setup): Promise<WebServer> {
  const server = await listen(resources, createApp(resources, undefined, setup), pagesAt(resources));
  const { clock, log } = resources;
  const failed = (error: unknown) => log.warn('session.let-go-failed', { error });
  const looking = clock.every(letGoEveryMs, () => letGoOfSignedOut(resources).catch(failed));
  const close = async (graceMs: number) => {
    looking[Symbol.dispose]();
    await server.close(graceMs);
  };
  return { ...server, close };
}

/** Serves the first-run page alone, where nothing is set yet. Throws as `serve` does. */
export async function serveSetup(
  { log, config }: Pick<Resources, 'log'> & { config: ListenConfig & Pick<Resources['config'], 'port' | 'publicUrl'> },
  setup: Setup,
): Promise<WebServer> {
  return listen({ clock: setup.clock, log, config }, createSetupApp(config, setup), pagesAt({ config }));
}

/** Answers `/livez`, `/readyz`, `/metrics` and `/status.json` alone, for a worker without pages that has a port for it. Throws as `serve` does. */
export async function serveHealth(resources: Resources): Promise<WebServer | undefined> {
  const { healthPort } = resources.config;
  if (healthPort === undefined) return undefined;
  return listen(resources, createApp(resources, []), { port: healthPort, setting: 'HEALTH_PORT' });
}

function pagesAt({ config: { port } }: { config: Pick<Resources['config'], 'port'> }) {
  return { port, setting: 'PORT' as const };
}

type ListenConfig = Pick<Resources['config'], 'host' | 'web' | 'proxies'>;

async function listen(
  needs: { clock: Clock; log: Log; config: ListenConfig },
  app: Hono,
  { port, setting }: { port: number; setting: 'HEALTH_PORT' | 'PORT' },
): Promise<WebServer> {
  const { clock, config } = needs;
  const { host } = config;
  const closing = new AbortController();
  const server = createServer(serverOptions(config.web));
  const connections = boundConnections(server, needs);
  const answer = getRequestListener((request, env) => {
    if (!namesOneHost(env)) return new Response(null, { status: 400 });
    if (!connections.takes(env)) return new Response(null, { status: 429, headers: { 'retry-after': '1' } });
    return app.fetch(request, { ...env, closing: closing.signal });
  });
  server.on('request', answer);
  const silent = watchSilent(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen({ host, port, setting }, cause)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const url = new URL(`http://${hostInUrl(host)}:${portOf(address, port)}/`);
  const close = async (graceMs: number) => {
    closing.abort();
    const closed = new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
    });
    for (const socket of silent) socket.destroy();
    await within(clock, graceMs, () => closed).catch(() => server.closeAllConnections());
    connections[Symbol.dispose]();
    return closed;
  };
  return { url, close };
}

/** Of several, proxies and servers may each believe another (RFC 9112, section 3.2); Node itself refuses none. */
function namesOneHost(env: HttpBindings | Http2Bindings): env is HttpBindings {
  return 'headersDistinct' in env.incoming && env.incoming.headersDistinct.host?.length === 1;
}

/**
 * The connections on which nothing was asked yet. Browsers open some beforehand, and Node counts them neither as idle
 * nor lets them run into a timeout once the server closes: they would hold it up for ever.
 */
function watchSilent(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }: { socket: Socket }) => silent.delete(socket));
  return silent;
}

const faults: Record<string, (setting: string) => string> = {
  EADDRINUSE: (setting) => `another program listens there already. End it, or choose another ${setting}`,
  EACCES: (setting) => `this user may not. Choose a ${setting} above 1023`,
};

interface Place {
  readonly host: string;
  readonly port: number;
  readonly setting: 'HEALTH_PORT' | 'PORT';
}

function cannotListen({ host, port, setting }: Place, cause: Error): AppError {
  const code = 'code' in cause ? String(cause.code) : '';
  const why = faults[code]?.(setting) ?? 'this machine has no such address. Correct HOST';
  const what = setting === 'PORT' ? 'The pages cannot be served' : 'The health of this worker cannot be served';
  const at = `${hostInUrl(host)}:${port}`;
  return new AppError('config/invalid', `${what} at ${at}: ${why}.`, { cause });
}

function portOf(address: AddressInfo | string | null, configured: number): number {
  return typeof address === 'object' && address !== null ? address.port : configured;
}
