import { setImmediate } from 'node:timers/promises';
import type { Person } from '../../demo/people.ts';
import type { DemoProvider } from '../../demo/provider/provider.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { openLog } from '../../src/log.ts';
import { type Custody, type CustodyHouse, openCustodyHouse } from '../integration/custody/house.ts';
import { madeUpPeople } from '../support/fixtures/made-up-people.ts';

/** A house at a provider that can fail in every way, with a clock that only the test and those who wait move. */
export interface FaultHouse extends AsyncDisposable {
  readonly house: CustodyHouse;
  readonly provider: DemoProvider;
  readonly people: readonly Person[];
  /** Everything that was logged, at every level. */
  readonly lines: string[];
  pass(ms: number): void;
  /** Somebody consents; answers the id of the grant. */
  consent(person: Person): Promise<string>;
  /** Another process. */
  enter(holder: string): Custody;
}

export async function openFaultHouse({ reuse, count }: { reuse: number; count: number }): Promise<FaultHouse> {
  const lines: string[] = [];
  const people = madeUpPeople(count);
  const log = openLog({ clock: systemClock(), level: 'debug', write: (line) => void lines.push(line) });
  const house = await openCustodyHouse({ refreshTokenMaxReuse: reuse }, { people, log, clock: steeredClock });
  return {
    house,
    people,
    lines,
    provider: house.provider,
    pass: house.pass,
    enter: house.other,
    consent: async (person) => (await house.consent(person)).grant.id,
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

/** Stands still but for `shift`; whoever sleeps moves it on, and gives the others a turn. */
function steeredClock(shift: { ms: number }): Clock {
  const start = Date.now();
  const moment = () => start + shift.ms;
  return {
    ...systemClock(),
    now: () => new Date(moment()),
    elapsed: () => shift.ms,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      shift.ms += Math.min(ms, 1_000);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      signal?.throwIfAborted();
    },
  };
}
