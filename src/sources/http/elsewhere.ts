import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { Clock } from '../../clock.ts';
import { checkedLookup, isPublicAddress, type LookupAll } from '../../domain/network-address.ts';
import { AppError, isAppError } from '../../errors.ts';
import { openPace } from './pace.ts';
import {
  type Flow,
  type HttpResponse,
  type Receiver,
  type ResponseHead,
  refuseLargeHead,
  sendRequest,
  TransportError,
} from './request.ts';
import type { TransferLimits } from './server.ts';

/** Which other hosts may be asked for a file that the server redirects to. */
export interface RedirectRule {
  allowsUrl(url: URL): boolean;
  /** Asked for every address that the host's name stands for, when the connection is opened. */
  allowsIp(ip: string): boolean;
}

/**
 * Hosts on the internet, over https: a presigned address of an object store. Of the operator's network nothing but what `inside` names.
 */
export function httpsElsewhere(inside: BlockList = new BlockList()): RedirectRule {
  return {
    allowsUrl: ({ protocol, username, password }) => protocol === 'https:' && username === '' && password === '',
    allowsIp: (ip) => isPublicAddress(ip) || inside.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4'),
  };
}

export interface ElsewhereOptions {
  readonly rule: RedirectRule;
  readonly timeouts: { connectTimeoutMs: number; headersTimeoutMs: number; bodyTimeoutMs: number };
  readonly limits: TransferLimits;
  readonly clock: Clock;
  /** Called for each request that is sent. */
  readonly onRequest: () => void;
  readonly lookup?: LookupAll;
}

/** What a request to another host takes along. */
export interface ElsewhereRequest<T> {
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Takes the body of a 2xx response from this address. */
  receive(head: ResponseHead, flow: Flow, address: string): Receiver<T> | undefined;
}

/** Other hosts, which never get a token. */
export interface Elsewhere extends AsyncDisposable {
  /** Whether the address may be asked, as far as it can be told before its name is looked up. */
  allows(url: URL): boolean;
  /** One request and its response. Throws `source/refused-redirect` where the rule does not allow the host's addresses. */
  send<T>(request: ElsewhereRequest<T>, url: URL, signal: AbortSignal): Promise<HttpResponse<T>>;
}

/** Opens connections to other hosts. The addresses that are allowed are those that are connected to: names are looked up once. */
export function openElsewhere({
  rule,
  timeouts,
  limits,
  clock,
  onRequest,
  lookup = systemLookup,
}: ElsewhereOptions): Elsewhere {
  const allowedLookup = checkedLookup(lookup, async (hostname, addresses) =>
    addresses.every((ip) => rule.allowsIp(ip)) ? undefined : notPublic(hostname),
  );
  const agent = new Agent({
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeouts.connectTimeoutMs, lookup: allowedLookup },
    headersTimeout: timeouts.headersTimeoutMs,
    bodyTimeout: timeouts.bodyTimeoutMs,
    maxHeaderSize: limits.headerBytes,
  });
  return {
    allows(url) {
      const host = url.hostname.replace(/^\[|\]$/g, '');
      return rule.allowsUrl(url) && (isIP(host) === 0 || rule.allowsIp(host));
    },
    async send({ method, headers, receive }, url, signal) {
      onRequest();
      const all = ['accept-encoding', 'identity', 'user-agent', 'Nightkeep', ...headers];
      const request = { origin: url.origin, method, path: url.pathname + url.search, headers: all };
      try {
        return await sendRequest(agent, request, {
          receive: (head, flow) =>
            head.status >= 200 && head.status < 300 ? receive(head, flow, url.href) : undefined,
          signal,
          pace: openPace(clock, limits.leastBytesPerSecond),
        });
      } catch (error) {
        if (error instanceof TransportError) refuseLargeHead(error);
        throw error instanceof TransportError && isAppError(error.cause) ? error.cause : error;
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function notPublic(hostname: string): AppError {
  return new AppError(
    'source/refused-redirect',
    `The server redirects to ${hostname}, which is not a host on the internet; nothing was sent there. If it is the store of that server, FILES_REDIRECT_NETWORKS can allow its network.`,
  );
}
