import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second. */
const msPerTick = 10;

/** Milliseconds of processor time that the children of this process took which have ended, with those of theirs. */
export function msOfEndedChildren(): number {
  const { endedChildren } = ticksOf('self') ?? { endedChildren: 0 };
  return endedChildren * msPerTick;
}

/** The same of a process that runs. */
export function msOfProcess(pid: number): number {
  return (ticksOf(String(pid))?.own ?? 0) * msPerTick;
}

/** The same of everything on this machine, with what its host had of its processors. */
export function msOfMachine(): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .slice('cpu '.length, 200)
    .trim()
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts + stolen) * msPerTick;
}

/** The same of all processes that are now in this group. */
export function msOfGroup(pid: number): number {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(ticksOf).reduce((sum, ticks) => sum + (ticks?.group === pid ? ticks.own : 0), 0) * msPerTick;
}

/** Of user and system together (proc(5), stat); undefined where the process has ended. */
function ticksOf(name: string): { group: number; own: number; endedChildren: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${name}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name of the program, in brackets, may hold anything.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [group = 0, own = 0, system = 0, children = 0, childrenSystem = 0] = [2, 11, 12, 13, 14].map(
    (at) => fields[at],
  );
  return { group, own: own + system, endedChildren: children + childrenSystem };
}
