/**
 * A network with latency: `node relay.ts PORT MS` sends the parent process its own port, and relays every connection to that port of this
 * machine so that a round trip takes so many milliseconds more; opening a connection takes one, as with TCP.
 *
 * What comes is passed on half a round trip later, in order. At most so much is on its way in each direction of a connection as a usual
 * receive window of Linux has. Bandwidth is not limited, nothing is lost, and there is no slow start.
 */
import { connect, createServer, type Socket } from 'node:net';

const [, , port, ms] = process.argv;
const roundTripMs = Number(ms);
const windowBytes = 4 * 1024 * 1024;

const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ port: Number(port), host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  delay(near, far, performance.now() + roundTripMs);
  delay(far, near, 0);
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => one.errored && other.destroy());
  }
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The relay has no port.');
  process.send?.(address.port);
});
process.once('disconnect', () => process.exit());

/** Passes on what `from` says, half a round trip later and not before `openAt`. */
function delay(from: Socket, to: Socket, openAt: number): void {
  const queue: { readonly at: number; readonly chunk: Buffer | undefined }[] = [];
  let queued = 0;
  let isWaiting = false;
  const pass = () => {
    isWaiting = false;
    for (let first = queue[0]; first !== undefined && first.at <= performance.now(); first = queue[0]) {
      queue.shift();
      if (first.chunk === undefined) to.end();
      else to.write(first.chunk);
      queued -= first.chunk?.length ?? 0;
    }
    if (queued < windowBytes) from.resume();
    wait();
  };
  const wait = () => {
    const [first] = queue;
    if (first === undefined || isWaiting) return;
    isWaiting = true;
    setTimeout(pass, Math.max(0, first.at - performance.now()));
  };
  const put = (chunk: Buffer | undefined) => {
    queue.push({ at: Math.max(performance.now(), openAt) + roundTripMs / 2, chunk });
    queued += chunk?.length ?? 0;
    if (queued >= windowBytes) from.pause();
    wait();
  };
  from.on('data', put);
  from.on('end', () => put(undefined));
}
