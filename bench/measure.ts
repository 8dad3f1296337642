import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { msOfEndedChildren } from './processor-time.ts';

/** What a step took, from the start of its process to its end. */
export interface Cost {
  readonly ms: number;
  /** Processor time of user and system, with that of its children. */
  readonly cpuMs: number;
  /** Its peak resident memory. */
  readonly rssMB: number;
  readonly output: string;
}

export interface Step {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** Runs a step in a process of its own, and no other at the same time, once everything written so far is on the disk. */
export async function measure(step: Step): Promise<Cost> {
  await run({ command: 'sync', args: [] });
  return run(step);
}

async function run({ command, args, env }: Step): Promise<Cost> {
  const start = performance.now();
  const before = msOfEndedChildren();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentKiB(child.pid));
  }, 20);
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  child.on('error', reject);
  const code = await promise.finally(() => clearInterval(watch));
  const ms = Math.round(performance.now() - start);
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}: ${output.slice(-2000)}`);
  return { ms, cpuMs: msOfEndedChildren() - before, rssMB: Math.round(peak / 1024), output };
}

/** Reads the peak that the kernel keeps, so reading it now and then is enough. */
function residentKiB(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
