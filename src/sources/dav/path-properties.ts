import { isAppError } from '../../errors.ts';
import type { Send } from '../http/dav-request.ts';
import type { ResponseHead } from '../http/request.ts';
import { errorOfStatus } from '../http/status.ts';
import { type DavProperty, limitsOfOne, multistatusParser } from './multistatus.ts';
import { refuseOtherThanMultistatus } from './pages.ts';

/** What a server says of one path. */
export interface PathProperties {
  /** Where redirects led. */
  readonly path: string;
  readonly properties: ReadonlyMap<string, DavProperty>;
}

/** Asks for properties of a path alone (PROPFIND of depth 0, RFC 4918, section 9.1). Throws the errors of `Source.list`. */
export async function askProperties(
  send: Send,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<PathProperties> {
  const headers = ['depth', '0', 'content-type', 'application/xml; charset=utf-8'];
  const receive = (head: ResponseHead, _: unknown, from: string) => {
    refuseOtherThanMultistatus(head);
    let told: ReadonlyMap<string, DavProperty> | undefined;
    const parser = multistatusParser(({ properties }) => {
      told ??= properties;
    }, limitsOfOne);
    const end = (): PathProperties => {
      parser.end();
      return { path: from, properties: told ?? new Map() };
    };
    return { data: parser.write, end };
  };
  const { head, value } = await send({ method: 'PROPFIND', path, headers, body, receive }, signal);
  if (value === undefined) throw errorOfStatus(head.status);
  return value;
}

/** The same; undefined where the server does not say, or there is no such thing. Throws `source/unauthorized` and `source/unavailable`. */
export async function findProperties(
  send: Send,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<PathProperties | undefined> {
  try {
    return await askProperties(send, path, body, signal);
  } catch (error) {
    throwUnlessRefused(error);
    return undefined;
  }
}

/** Throws what says nothing of the path that was asked. */
export function throwUnlessRefused(error: unknown): void {
  if (!isAppError(error) || !error.code.startsWith('source/')) throw error;
  if (error.code === 'source/unauthorized' || error.code === 'source/unavailable') throw error;
}
