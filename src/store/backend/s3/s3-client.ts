import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import type { HttpAnswer } from '../http/http-answer.ts';
import { type HttpClientOptions, openHttpClient } from '../http/http-client.ts';

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

export interface S3ClientOptions extends HttpClientOptions {
  /** Of a listing; 20,000 by default, as many as packs of 300 TB need. */
  readonly mostPages?: number;
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of the answer. */
  readonly mostBytes?: number | undefined;
}

export interface S3Client {
  /** The bucket, as stock restic writes it: `s3:https://host/bucket`. */
  readonly location: string;
  readonly mostPages: number;
  /** What the server answers, whatever it is. Throws `store/unavailable` where no whole answer comes. */
  send(request: S3Request): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/**
 * Signed requests to one bucket (AWS Signature Version 4). The hash of a body is signed with it and its MD5 goes along, so that a server
 * keeps the bytes that were sent or refuses them.
 */
export function openS3Client(at: S3Bucket, options: S3ClientOptions): S3Client {
  const base = baseOf(at);
  const location = `s3:${at.endpoint}/${at.bucket}`;
  const client = openHttpClient({ origin: base.origin, ca: at.ca, location }, options);
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
    mostPages: options.mostPages ?? 20_000,
    send: async (request) => {
      const { url, headers } = await sign(request);
      return client.send({
        method: request.method,
        path: `${url.pathname}${url.search}`,
        headers: Object.fromEntries(headers),
        body: request.body,
        mostBytes: request.mostBytes,
      });
    },
    close: () => client.close(),
  };
}

function baseOf({ endpoint, bucket, style }: S3Bucket): URL {
  const url = new URL(endpoint);
  if (style === 'virtual') url.hostname = `${bucket}.${url.hostname}`;
  else url.pathname = `/${bucket}/`;
  return url;
}

function digestsOf(body: Uint8Array = Buffer.of()): Record<string, string> {
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (body.length === 0) return { 'x-amz-content-sha256': sha256 };
  return { 'x-amz-content-sha256': sha256, 'content-md5': createHash('md5').update(body).digest('base64') };
}
