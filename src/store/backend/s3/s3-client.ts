import { createHash } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { AwsV4Signer } from 'aws4fetch';
import { Pool } from 'undici';
import type { Clock } from '../../../clock.ts';
import type { S3Answer } from './s3-answer.ts';
import { networkError } from './s3-error.ts';

/** A bucket, and the key that opens it. */
export interface S3Bucket {
  /** Protocol, host and port of the server. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly style: 'path' | 'virtual';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Certificates in PEM that are believed besides those of the system. */
  readonly ca?: string | undefined;
}

export interface S3ClientOptions {
  readonly clock: Clock;
  /** Requests under way at a time, whoever makes them; further ones wait. 8 by default. */
  readonly connections?: number;
  /** The longest wait for a connection, for an answer to begin, and for it to go on. 10, 60 and 60 seconds by default. */
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly silenceTimeoutMs?: number;
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface S3Client {
  /** The bucket as stock restic is told of it: `s3:https://host/bucket`. */
  readonly location: string;
  /** What the server answers, whatever it is. Throws `store/unavailable` where no whole answer comes. */
  send(request: S3Request): Promise<S3Answer>;
  close(): Promise<void>;
}

/**
 * Signed requests to one bucket (AWS Signature Version 4). The hash of a body is signed with it and its MD5 goes along, so that a server
 * keeps the bytes that were sent or refuses them.
 */
export function openS3Client(at: S3Bucket, options: S3ClientOptions): S3Client {
  const base = baseOf(at);
  const location = `s3:${at.endpoint}/${at.bucket}`;
  const pool = poolTo(base, at.ca, options);
  const { accessKeyId, secretAccessKey, region } = at;
  const signing = { accessKeyId, secretAccessKey, region, service: 's3', cache: new Map<string, ArrayBuffer>() };
  const sign = async ({ method, key, query = {}, headers = {}, body }: S3Request) => {
    const search = new URLSearchParams(query).toString();
    const url = `${base.href}${key}${search && `?${search}`}`;
    const all = { ...headers, ...digestsOf(body) };
    const datetime = options.clock
      .now()
      .toISOString()
      .replace(/[:-]|\.\d{3}/g, '');
    return new AwsV4Signer({ ...signing, method, url, headers: all, datetime }).sign();
  };
  return {
    location,
    send: async (request) => {
      const { url, headers } = await sign(request);
      try {
        const answer = await pool.request({
          method: request.method,
          path: `${url.pathname}${url.search}`,
          headers: Object.fromEntries(headers),
          body: request.body ?? null,
        });
        const header = (name: string) => [answer.headers[name]].flat()[0];
        return { status: answer.statusCode, header, body: Buffer.from(await answer.body.arrayBuffer()) };
      } catch (error) {
        throw networkError(error, location);
      }
    },
    close: () => pool.destroy(),
  };
}

function baseOf({ endpoint, bucket, style }: S3Bucket): URL {
  const url = new URL(endpoint);
  if (style === 'virtual') url.hostname = `${bucket}.${url.hostname}`;
  else url.pathname = `/${bucket}/`;
  return url;
}

function poolTo(base: URL, ca: string | undefined, options: S3ClientOptions): Pool {
  const { connections = 8, connectTimeoutMs = 10_000, answerTimeoutMs = 60_000, silenceTimeoutMs = 60_000 } = options;
  return new Pool(base.origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    connect: { timeout: connectTimeoutMs, ...(ca !== undefined && { ca: [...getCACertificates(), ca] }) },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
  });
}

function digestsOf(body: Uint8Array = Buffer.of()): Record<string, string> {
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (body.length === 0) return { 'x-amz-content-sha256': sha256 };
  return { 'x-amz-content-sha256': sha256, 'content-md5': createHash('md5').update(body).digest('base64') };
}
