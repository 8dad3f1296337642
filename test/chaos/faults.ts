import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerName, World } from './world.ts';

type Random = () => number;

/** Something that goes wrong in a night, and is well again when it resolves. */
interface Fault {
  readonly name: string;
  /** Of two that are about the same machine only one happens at a time. */
  readonly about: 'postgres' | 'redis' | 'store' | 'worker-1' | 'worker-2';
  play(world: World, random: Random): Promise<void>;
}

const seconds = (random: Random, least: number, most: number) => sleep((least + random() * (most - least)) * 1_000);

function kill(name: WorkerName): Fault {
  return {
    name: `SIGKILL of ${name}`,
    about: name,
    play: async (world, random) => {
      await world.untilItWorks(name);
      await seconds(random, 0, 2);
      await world.killWorker(name);
      await seconds(random, 0, 3);
      await world.startWorker(name);
    },
  };
}

/** For shorter or longer than the lease of a run lasts, which is a minute. */
function partition(name: WorkerName, least: number, most: number): Fault {
  return {
    name: `${name} cut off from PostgreSQL for ${least} to ${most} s`,
    about: name,
    play: async (world, random) => {
      await world.untilItWorks(name);
      await world.part(name);
      await seconds(random, least, most);
      await world.mend(name);
    },
  };
}

const faults: readonly Fault[] = [
  kill('worker-1'),
  kill('worker-2'),
  partition('worker-1', 65, 75),
  partition('worker-2', 3, 12),
  { name: 'Redis restarted empty', about: 'redis', play: (world) => world.restartRedis() },
  { name: 'PostgreSQL killed and restarted', about: 'postgres', play: (world) => world.restartPostgres() },
  { name: 'PostgreSQL fails over to the standby', about: 'postgres', play: (world) => world.failOver() },
  {
    name: 'S3 answers 503',
    about: 'store',
    play: async (world, random) => {
      world.refuseStore(true);
      await seconds(random, 2, 20);
      world.refuseStore(false);
    },
  },
];

/** Chooses what goes wrong in which night: each fault comes once before any comes again. */
export function openFaults(random: Random, tell: (line: string) => void) {
  const counts = new Map(faults.map(({ name }) => [name, 0]));
  let deck: Fault[] = [];
  const draw = (): Fault[] => {
    const drawn: Fault[] = [];
    for (let wanted = 1 + Math.floor(random() * 3); wanted > 0; wanted -= 1) {
      if (deck.length === 0) deck = shuffled(faults, random);
      const next = deck.find(({ about }) => drawn.every((one) => one.about !== about));
      if (next === undefined) break;
      deck.splice(deck.indexOf(next), 1);
      drawn.push(next);
    }
    return drawn;
  };
  return {
    counts,
    /** Each begins within the first seconds of the night, when most is under way. */
    play: async (world: World): Promise<void> => {
      await Promise.all(
        draw().map(async (fault) => {
          await seconds(random, 0, 4);
          tell(fault.name);
          counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
          await fault.play(world, random);
          tell(`${fault.name}: over`);
        }),
      );
    },
  };
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((one): [number, T] => [random(), one])
    .toSorted(([one], [other]) => one - other)
    .map(([, one]) => one);
}
