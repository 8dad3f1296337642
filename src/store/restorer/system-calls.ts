import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { nameToBytes } from '../../file-name.ts';
import type { Moment } from '../format/timestamp.ts';

/** A call of the system that Node has no function for. */
export type SystemCall = { readonly path: string } & (
  | { readonly kind: 'times'; readonly atime: Moment; readonly mtime: Moment }
  | { readonly kind: 'attribute'; readonly name: string; readonly value: Buffer }
  /** A device or a pipe: mode with the bits of its type, and the number of the device. */
  | { readonly kind: 'node'; readonly mode: number; readonly device: number }
);

/** The numbers of utimensat, lsetxattr and mknodat; those of other systems are not known here. */
const numbers: Readonly<Record<string, readonly [number, number, number]>> = {
  'linux-x64': [280, 189, 259],
  'linux-arm64': [88, 6, 33],
};

/**
 * Reads calls, each a path, a kind and a value ended by zeros, and answers the number of each that failed with why. Perl is part of
 * every Debian, and calls the system directly.
 */
const script = String.raw`
my ($times, $attribute, $node) = splice @ARGV, 0, 3;
$/ = "\0";
my $next = sub { my $field = <STDIN>; chomp $field if defined $field; $field };
for (my $number = 0; defined(my $path = $next->()); $number++) {
  my $name = $next->();
  my $value = $next->();
  my $kind = substr $name, 0, 1, "";
  my $bytes = $kind eq "t" ? pack "q4", split / /, $value : $kind eq "a" ? pack "H*", $value : "";
  my ($mode, $device) = $kind eq "n" ? split / /, $value : ();
  my $failed = $kind eq "t" ? syscall($times + 0, -100, $path, $bytes, 0x100)
    : $kind eq "a" ? syscall($attribute + 0, $path, $name, $bytes, length $bytes, 0)
    : syscall($node + 0, -100, $path, $mode + 0, $device + 0);
  print "$number ", $! + 0, "\n" if $failed;
}
`;

/**
 * Does the calls in their order, links not followed. Answers which failed, by their place among the calls, with the system's number for
 * why; undefined where this machine has no means to do it.
 */
export async function callSystem(
  calls: readonly SystemCall[],
): Promise<readonly { readonly call: SystemCall; readonly errno: number }[] | undefined> {
  const called = numbers[`${process.platform}-${process.arch}`];
  if (called === undefined) return undefined;
  const perl = spawn('perl', ['-e', script, ...called.map(String)], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
  const ended = Promise.withResolvers<boolean>();
  perl.on('error', () => ended.resolve(false));
  perl.on('close', (code) => ended.resolve(code === 0));
  perl.stdin.on('error', () => undefined);
  const spelled = calls.map(spell);
  const whole = spelled.join('');
  perl.stdin.end(whole.isWellFormed() ? whole : Buffer.concat(spelled.map(nameToBytes)));
  const answers = await text(perl.stdout);
  if (!(await ended.promise)) return undefined;
  return answers
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [number = 0, errno = 0] = line.split(' ').map(Number);
      const call = calls[number];
      return call === undefined ? [] : [{ call, errno }];
    });
}

function spell(call: SystemCall): string {
  const { path } = call;
  if (call.kind === 'attribute') return `${path}\0a${call.name}\0${call.value.toString('hex')}\0`;
  if (call.kind === 'node') return `${path}\0n\0${call.mode} ${call.device}\0`;
  const { atime, mtime } = call;
  return `${path}\0t\0${atime.seconds} ${atime.nanoseconds} ${mtime.seconds} ${mtime.nanoseconds}\0`;
}
