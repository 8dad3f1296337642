import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { requireProgram } from './programs.ts';

/** The stock restic program; undefined, and said loudly, where it is missing. */
export const resticProgram = requireProgram('restic', 'apt-get install restic');

export interface ResticOptions {
  /** The folder of the repository, or what restic writes for it elsewhere. */
  readonly repository: string;
  readonly password: string;
  readonly cwd?: string;
  /** Of an S3 server. */
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** File of the certificates that a server may show. */
  readonly ca?: string;
}

export interface ResticResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs stock restic, whatever it answers. The password goes through the environment, never through an argument. */
export async function tryRestic(options: ResticOptions, ...args: string[]): Promise<ResticResult> {
  const { key, repository, password, ca } = options;
  const authority = ca === undefined ? [] : ['--cacert', ca];
  const keys = key && { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey };
  const child = spawn(resticProgram ?? 'restic', ['--no-cache', ...authority, ...args], {
    cwd: options.cwd,
    env: { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, ...keys },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, stdout, stderr };
}

/** Runs stock restic and answers what it printed; throws when it fails. */
export async function restic(options: ResticOptions, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryRestic(options, ...args);
  if (code === 0) return stdout.toString();
  throw new Error(`restic ${args.join(' ')} ended with ${code}:\n${stderr}\n${stdout.toString().slice(-2000)}`);
}
