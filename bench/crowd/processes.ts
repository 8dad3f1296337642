import { readdirSync, readFileSync } from 'node:fs';

const msOfTick = 10;

interface Row {
  readonly pid: number;
  readonly parent: number;
  /** Processor time of it and of its children that have ended, in milliseconds. */
  readonly ms: number;
}

/** The processor time that these processes and all below them have had, in milliseconds, each under its name (Linux). */
export function processorTimes(roots: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  const rows = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? rowOf(Number(name)) : []));
  const timeOf = (pid: number): number =>
    rows.reduce((sum, row) => sum + (row.pid === pid ? row.ms : row.parent === pid ? timeOf(row.pid) : 0), 0);
  return Object.fromEntries(
    Object.entries(roots).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + timeOf(pid), 0)]),
  );
}

/** This process and all below it. */
export function withChildren(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && rowOf(Number(name))[0]?.parent === pid);
  return [pid, ...children.flatMap((child) => withChildren(Number(child)))];
}

/** The children of this process whose command line has these words. */
export function childrenLike(words: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const row = /^\d+$/.test(name) ? rowOf(Number(name))[0] : undefined;
    return row?.parent === process.pid && read(row.pid, 'cmdline').includes(words) ? [row.pid] : [];
  });
}

/** What a process has in memory now, and the most that it ever had, in MB. */
export function memoryOf(pid: number): { residentMB: number; peakMB: number } {
  const status = read(pid, 'status');
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  return { residentMB: of('VmRSS'), peakMB: of('VmHWM') };
}

/** The processor time that the main thread of a process has had, in milliseconds. */
export function mainThreadMs(pid: number): number {
  return rowFrom(pid, read(pid, `task/${pid}/stat`))[0]?.ms ?? 0;
}

/** None where the process has ended meanwhile. */
function rowOf(pid: number): Row[] {
  return rowFrom(pid, read(pid, 'stat'));
}

function rowFrom(pid: number, stat: string): Row[] {
  if (stat === '') return [];
  // The name before it is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return [{ pid, parent: Number(fields[1]), ms: ticks * msOfTick }];
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
