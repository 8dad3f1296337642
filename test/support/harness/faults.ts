import { setImmediate } from 'node:timers/promises';
import type { Person } from '../../../demo/people.ts';
import type { DemoProvider } from '../../../demo/provider/provider.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { openLog } from '../../../src/log.ts';
import { madeUpPeople } from '../fixtures/made-up-people.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from './custody.ts';

/** Nightkeep at a provider that can fail in every way, with a clock that only the test and those who wait move. */
export interface FaultFixture extends AsyncDisposable {
  readonly fixture: CustodyFixture;
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

export async function openFaultFixture({ reuse, count }: { reuse: number; count: number }): Promise<FaultFixture> {
  const lines: string[] = [];
  const people = madeUpPeople(count);
  const log = openLog({ clock: systemClock(), level: 'debug', write: (line) => void lines.push(line) });
  const fixture = await openCustodyFixture({ refreshTokenMaxReuse: reuse }, { people, log, clock: steeredClock });
  return {
    fixture,
    people,
    lines,
    provider: fixture.provider,
    pass: fixture.pass,
    enter: fixture.other,
    consent: async (person) => (await fixture.consent(person)).grant.id,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

/** A clock that only `shift` moves, and whoever sleeps, who then gives the others a turn. */
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
