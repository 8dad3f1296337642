import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

export interface SunkRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How it answers: a status, or whatever else. */
export type SinkAnswer = number | ((response: ServerResponse) => void);

export interface HttpSink extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  readonly requests: SunkRequest[];
}

/** An HTTP server on loopback that keeps what it gets. */
export async function openHttpSink(answer: (request: SunkRequest) => SinkAnswer = () => 200): Promise<HttpSink> {
  const requests: SunkRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const sunk = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    requests.push(sunk);
    const how = answer(sunk);
    if (typeof how === 'number') response.writeHead(how).end();
    else how(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
