import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Ticks of the kernel's clock in a second: USER_HZ, 100 on every Linux. */
const ticksASecond = 100;

/** Processor time that the PostgreSQL with its data in this folder has used, in milliseconds; undefined where there is no /proc. */
export function postgresMs(dataFolder: string): number | undefined {
  try {
    const postmaster = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0] ?? '';
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(statOf)
      .filter((stat) => stat !== undefined);
    const mine = all.filter(({ pid, parent }) => pid === postmaster || parent === postmaster);
    return mine.reduce((sum, { ticks }) => sum + ticks, 0) * (1000 / ticksASecond);
  } catch {
    return undefined;
  }
}

/** See proc_pid_stat(5); the time of children that have ended counts for their parent. */
function statOf(pid: string): { pid: string; parent: string; ticks: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: fields[1] ?? '', ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) };
  } catch {
    return undefined;
  }
}
