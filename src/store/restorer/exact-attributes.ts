import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { nameToBytes } from '../../file-name.ts';
import type { Node } from '../format/node.ts';
import type { Moment } from '../format/timestamp.ts';
import { settableTime } from './times.ts';

/** What Node cannot set of an entry: times finer than a quarter of a microsecond, and extended attributes. */
export interface ExactAttributes {
  readonly path: string;
  readonly times?: { readonly atime: Moment; readonly mtime: Moment };
  readonly extended: readonly { readonly name: string; readonly value: Buffer }[];
}

/** What is left to set of a node; undefined where that is nothing. */
export function exactAttributesOf(node: Node, path: string): ExactAttributes | undefined {
  const [atime, mtime] = [settableTime(node.atime), settableTime(node.mtime)];
  const isExact = atime.isExact && mtime.isExact;
  const extended = (node.extended_attributes ?? []).map(({ name, value }) => ({
    name,
    value: Buffer.from(value ?? '', 'base64'),
  }));
  if (isExact && extended.length === 0) return undefined;
  return { path, extended, ...(!isExact && { times: { atime: atime.moment, mtime: mtime.moment } }) };
}

/** The numbers of utimensat and lsetxattr; those of other systems are not known here. */
const numbers: Readonly<Record<string, readonly [number, number]>> = {
  'linux-x64': [280, 189],
  'linux-arm64': [88, 6],
};

/**
 * Reads requests, their fields ended by zeros, and answers the number of each that failed with why. Perl is part of every Debian, and
 * calls the system directly.
 */
const script = String.raw`
my ($times, $extended) = splice @ARGV, 0, 2;
$/ = "\0";
my $next = sub { my $field = <STDIN>; chomp $field if defined $field; $field };
for (my $number = 0; defined(my $path = $next->()); $number++) {
  my $name = $next->();
  my $value = pack "H*", $next->();
  my $failed = $name eq ""
    ? syscall($times + 0, -100, $path, $value, 0x100)
    : syscall($extended + 0, $path, $name, $value, length $value, 0);
  print "$number ", $! + 0, "\n" if $failed;
}
`;

/** A file system without extended attributes; restic takes no notice of these either. */
const notSupported = 95;

/**
 * Sets them, for all entries in one go. Answers which entries failed, with the system's number for why; undefined where this machine
 * has no means to do it.
 */
export async function setExactly(
  entries: readonly ExactAttributes[],
): Promise<readonly { readonly path: string; readonly errno: number }[] | undefined> {
  const called = numbers[`${process.platform}-${process.arch}`];
  if (called === undefined) return undefined;
  const requests = entries.flatMap(requestsOf);
  const perl = spawn('perl', ['-e', script, ...called.map(String)], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
  const ended = Promise.withResolvers<boolean>();
  perl.on('error', () => ended.resolve(false));
  perl.on('close', (code) => ended.resolve(code === 0));
  perl.stdin.on('error', () => undefined);
  perl.stdin.end(Buffer.concat(requests.map(({ bytes }) => bytes)));
  const answers = await text(perl.stdout);
  if (!(await ended.promise)) return undefined;
  return answers
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number))
    .map(([number = 0, errno = 0]) => ({ path: requests[number]?.path ?? '', errno }))
    .filter(({ errno }) => errno !== notSupported);
}

function requestsOf({ path, times, extended }: ExactAttributes): { path: string; bytes: Buffer }[] {
  const set = extended.map(({ name, value }) => ({ path, bytes: request(path, name, value) }));
  return times === undefined ? set : [...set, { path, bytes: request(path, '', timespecs(times)) }];
}

function request(path: string, name: string, value: Buffer): Buffer {
  return Buffer.concat([nameToBytes(path), Buffer.from(`\0${name}\0${value.toString('hex')}\0`)]);
}

/** Two of what the system calls timespec. */
function timespecs({ atime, mtime }: NonNullable<ExactAttributes['times']>): Buffer {
  const bytes = Buffer.alloc(32);
  for (const [index, value] of [atime.seconds, atime.nanoseconds, mtime.seconds, mtime.nanoseconds].entries())
    bytes.writeBigInt64LE(BigInt(value), index * 8);
  return bytes;
}
