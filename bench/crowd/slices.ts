import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';

/** So that it has its part whatever else goes on on the machine: so many times as much as any other process gets of what is wanted by several. */
const importance = 20;
/** Short against what is measured, and long against what the kernel needs to change between processes. */
const periodMicroseconds = 20_000;

export interface Slices extends AsyncDisposable {
  /** From now on these processes together, and all that they start, have this part of a processor and no more; undefined: as much as there is. */
  give(name: string, pids: readonly number[], processors: number | undefined): void;
}

/** By control groups of the kernel: of version 2, or of version 1 where these have the processors. Throws where this user may make none. */
export function openSlices(clock: Clock): Slices {
  const old = '/sys/fs/cgroup/cpu';
  const isOld = existsSync(join(old, 'cpu.cfs_quota_us'));
  const root = isOld ? old : '/sys/fs/cgroup';
  if (!isOld) writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
  const made = new Set<string>();
  return {
    give(name, pids, processors) {
      const folder = join(root, `nightkeep-bench-${process.pid}-${name}`);
      mkdirSync(folder, { recursive: true });
      made.add(folder);
      const quota = processors === undefined ? undefined : Math.round(processors * periodMicroseconds);
      if (isOld) {
        writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodMicroseconds));
        writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quota ?? -1));
        writeFileSync(join(folder, 'cpu.shares'), String(1024 * importance));
      } else {
        writeFileSync(join(folder, 'cpu.max'), `${quota ?? 'max'} ${periodMicroseconds}`);
        writeFileSync(join(folder, 'cpu.weight'), String(100 * importance));
      }
      for (const pid of pids) moveTo(folder, pid);
    },
    /** Once all these processes have been told to end: the kernel may take a moment. */
    async [Symbol.asyncDispose]() {
      for (const folder of made)
        while (readFileSync(join(folder, 'cgroup.procs'), 'utf8') !== '') await clock.sleep(20);
      for (const folder of made) rmdirSync(folder);
    },
  };
}

/** One that has ended meanwhile needs no part. */
function moveTo(folder: string, pid: number): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
