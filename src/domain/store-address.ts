import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where repositories are kept: a folder of this machine, a bucket of a server that speaks S3, or a server that speaks the REST protocol of restic. */
export type StoreAddress = FolderAddress | S3Address | RestAddress;

export interface FolderAddress {
  readonly kind: 'folder';
  readonly folder: string;
}

export interface S3Address {
  readonly kind: 's3';
  /** Of the server: protocol, host and port. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** What the names of all files begin with, without slashes around it; empty for none. */
  readonly prefix: string;
  /** Where the bucket stands: in the path, or in front of the host. */
  readonly style: 'path' | 'virtual';
}

export interface RestAddress {
  readonly kind: 'rest';
  /** Of the server: protocol, host and port. */
  readonly origin: string;
  /** Empty where the server asks for none. */
  readonly user: string;
  /** What the paths of all repositories begin with, without slashes around it; empty for none. */
  readonly prefix: string;
}

const parameters = ['endpoint', 'region', 'style'];
/** Names that no server and no client changes or escapes. */
const plainName = /^[\w.-]+$/;

/** What a server that speaks the REST protocol of restic takes for a part of a repository. */
const partsOfRepositories = ['config', 'data', 'index', 'keys', 'locks', 'snapshots'];

/**
 * Reads `file:///folder`, `s3://bucket/prefix?endpoint=…&region=…&style=path|virtual` or `rest:https://user@host:8000/prefix/`. Without
 * an endpoint S3 is Amazon's of that region (us-east-1 by default), in virtual style; elsewhere the style is path by default. Throws a RangeError whose
 * message goes on after the name of what holds the text, with the cure.
 */
export function parseStoreAddress(text: string): StoreAddress {
  const url = URL.parse(text);
  if (url?.protocol === 'file:') return { kind: 'folder', folder: folderOf(url, text) };
  if (url?.protocol === 's3:') return s3AddressOf(url);
  if (url?.protocol === 'rest:') return restAddressOf(text.trim().slice('rest:'.length));
  throw new RangeError('is not a usable address: it must begin with file://, s3:// or rest:https://');
}

/** The address written out, the same for every way in which it may be written. It holds no secret. */
export function storeUrl(address: StoreAddress): string {
  if (address.kind === 'folder') return pathToFileURL(address.folder).href;
  if (address.kind === 'rest') return `rest:${restServerUrl(address)}/${address.prefix && `${address.prefix}/`}`;
  const { bucket, prefix, endpoint, region, style } = address;
  return `s3://${bucket}${prefix && `/${prefix}`}?${new URLSearchParams({ endpoint, region, style })}`;
}

/** The server, as restic writes it, without a slash at the end. */
export function restServerUrl({ origin, user }: Pick<RestAddress, 'origin' | 'user'>): string {
  return user === '' ? origin : origin.replace('://', `://${encodeURIComponent(user)}@`);
}

function folderOf(url: URL, text: string): string {
  // A relative one would be read from the root, and what stands behind a "?" or "#" would be left out.
  if (!/^\s*file:\//i.test(text)) throw noFolder(text);
  if (/[?#]/.test(text))
    throw new RangeError(`is "${text}", with a "?" or "#": write these in the name of a folder as %3F and %23`);
  try {
    return fileURLToPath(url);
  } catch {
    throw noFolder(text);
  }
}

function noFolder(text: string): RangeError {
  return new RangeError(`is "${text}", which is no folder of this machine: write it as file:///srv/nightkeep/store`);
}

function s3AddressOf(url: URL): S3Address {
  const { username, password, hostname: bucket, port, pathname, searchParams, hash } = url;
  if (username !== '' || password !== '') throw new RangeError('must not hold keys: put them into STORE_KEYS');
  if (bucket === '' || port !== '' || hash !== '' || !plainName.test(bucket))
    throw new RangeError('names no bucket: write it as s3://bucket/prefix');
  const unknown = [...searchParams.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined)
    throw new RangeError(`has the parameter "${unknown}": there are only ${parameters.join(', ')}`);
  const prefix = prefixOf(pathname);
  const region = searchParams.get('region') || 'us-east-1';
  if (!plainName.test(region)) throw new RangeError('has a region that is no name: write it as region=eu-central-1');
  const named = searchParams.get('endpoint');
  const endpoint = named ? originOf(named) : `https://s3.${region}.amazonaws.com`;
  const style = searchParams.get('style') || (named ? 'path' : 'virtual');
  if (style !== 'path' && style !== 'virtual') throw new RangeError('has a style that is neither path nor virtual');
  return { kind: 's3', endpoint, region, bucket, prefix, style };
}

/** A host alone is asked over https. */
function originOf(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const isServer = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isServer) throw new RangeError('has an endpoint that is no server: write it as endpoint=https://s3.example.org');
  return url.origin;
}

function restAddressOf(text: string): RestAddress {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new RangeError('names no server: write it as rest:https://user@host:8000/prefix/');
  if (url.password !== '') throw new RangeError('must not hold a password: put it into STORE_KEYS');
  if (url.search !== '' || url.hash !== '')
    throw new RangeError('has a query or a fragment: write it as rest:https://user@host:8000/prefix/');
  const user = decodeURIComponent(url.username);
  if (user !== '' && !plainName.test(user))
    throw new RangeError('has a user of other characters than letters, digits, ".", "-" and "_"');
  const prefix = prefixOf(url.pathname);
  const part = prefix.split('/').find((name) => partsOfRepositories.includes(name));
  if (part !== undefined)
    throw new RangeError(`has the prefix "${part}", which servers take for a part of a repository: choose another`);
  return { kind: 'rest', origin: url.origin, user, prefix };
}

function prefixOf(pathname: string): string {
  const parts = pathname.split('/').filter(Boolean);
  if (parts.some((part) => !plainName.test(part) || /^\.+$/.test(part)))
    throw new RangeError('has a prefix of other characters than letters, digits, ".", "-", "_" and "/"');
  return parts.join('/');
}
