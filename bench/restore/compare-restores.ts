import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceFlags } from '../../test/support/fixtures/service-flags.ts';
import { type Cost, measure } from '../measure.ts';

export interface RestoreBench {
  /** A folder for what is restored, until it has been timed. */
  readonly home: string;
  /** The folder of the repository, whose latest snapshot is restored. */
  readonly repository: string;
  readonly password: string;
  readonly rounds: number;
}

/** Medians of all rounds. */
export interface RestoreCosts {
  readonly ms: number;
  readonly stockMs: number;
  readonly overStock: number;
  /** Processor time of user and system, which says more than the clock does where a machine has other work. */
  readonly cpuMs: number;
  readonly stockCpuMs: number;
  readonly rssMB: number;
  readonly stockRssMB: number;
}

/**
 * Restores the latest snapshot by Nightkeep and by stock restic in turn, each in a process of its own and to a new folder. A first round
 * that does not count warms the disk's and the compiler's caches.
 */
export async function compareRestores({ home, repository, password, rounds }: RestoreBench): Promise<RestoreCosts> {
  await mkdir(home, { recursive: true });
  const ours: Cost[] = [];
  const stock: Cost[] = [];
  for (let round = 0; round <= rounds; round++) {
    const to = join(home, 'restored');
    ours.push(
      await measure({
        command: process.execPath,
        args: [...serviceFlags, join(import.meta.dirname, 'nightkeep.ts'), repository, password, to],
        env: { NODE_COMPILE_CACHE: join(home, 'compile-cache') },
      }),
    );
    await rm(to, { recursive: true });
    stock.push(
      await measure({
        command: 'restic',
        args: ['restore', 'latest', '--target', to],
        env: {
          RESTIC_REPOSITORY: repository,
          RESTIC_PASSWORD: password,
          RESTIC_CACHE_DIR: join(home, 'restic-cache'),
        },
      }),
    );
    await rm(to, { recursive: true });
  }
  const middle = (costs: readonly Cost[], of: (cost: Cost) => number) => median(costs.slice(1).map(of));
  const ratios = ours.slice(1).map(({ ms }, round) => ms / (stock[round + 1]?.ms ?? Number.NaN));
  return {
    ms: middle(ours, ({ ms }) => ms),
    stockMs: middle(stock, ({ ms }) => ms),
    overStock: Math.round(median(ratios) * 1000) / 1000,
    cpuMs: middle(ours, ({ cpuMs }) => cpuMs),
    stockCpuMs: middle(stock, ({ cpuMs }) => cpuMs),
    rssMB: middle(ours, ({ rssMB }) => rssMB),
    stockRssMB: middle(stock, ({ rssMB }) => rssMB),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
