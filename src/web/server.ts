import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Resources } from '../resources.ts';
import { createApp } from './app.ts';
import { openHouse } from './open-house.ts';

export interface WebServer {
  readonly url: URL;
  /** Takes no more requests, and waits for those under way. */
  close(): Promise<void>;
}

/** Serves the pages at the configured host and port; port 0 takes a free one. */
export async function serve(resources: Resources): Promise<WebServer> {
  const { host, port } = resources.config;
  const server = createAdaptorServer({ fetch: createApp(openHouse(resources)).fetch });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${portOf(address, port)}/`);
  return {
    url,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null, configured: number): number {
  return typeof address === 'object' && address !== null ? address.port : configured;
}
