import { openRunClaims } from '../../../src/database/nights/turns.ts';
import { giveWay } from '../../../src/flows/nights/give-way.ts';
import { type Outcome, steerNextRun, type Work } from '../../../src/flows/nights/steer-run.ts';
import { type NightFixture, type NightResources, savePlan } from './nights.ts';

export const second = 1_000;
export const outcome: Outcome = { state: 'succeeded', snapshotId: 'abc', counts: {}, problems: [], problemCount: 0 };

/** What the tests of turns do with the fixture that the test has which runs at the moment. */
export function turnsOf(fixture: () => NightFixture) {
  const database = () => fixture().resources.database;
  const now = () => fixture().resources.clock.now();

  /** A plan of somebody on that server, due so many seconds after midnight. */
  async function person(host: string, dueIn = 0): Promise<string> {
    const planId = await savePlan(database(), {
      nextDueAt: new Date(Date.parse('2026-05-01T00:00:00Z') + dueIn * second).toISOString(),
    });
    const sources = [{ name: 'files', url: `https://${host}/files/` }];
    await database().plan.update({ where: { id: planId }, data: { sources } });
    return planId;
  }

  /** Whose run is next. */
  async function next(holder = 'first'): Promise<string | undefined> {
    const { concurrency, heavyRuns, turnMs } = fixture().resources.config;
    const run = await openRunClaims(database()).next({ holder, at: now(), concurrency, heavyRuns, turnMs });
    return run === 'full' ? run : run?.planId;
  }

  /** Works on the run whose turn it is until its work is ended. */
  async function begin(resources: NightResources = fixture().resources) {
    const begun = Promise.withResolvers<string>();
    const work: Work = ({ signal, runId }) => {
      begun.resolve(runId);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('a stream was torn'))));
    };
    const ended = steerNextRun(resources, new AbortController().signal, work);
    const runId = await begun.promise;
    const { planId } = await database().run.findUniqueOrThrow({ where: { id: runId } });
    return { planId, runId, ended };
  }

  /** A worker that has one place. */
  function ofOnePlace(resources: NightResources = fixture().resources): NightResources {
    return { ...resources, config: { ...resources.config, concurrency: 1, heavyRuns: 1 } };
  }

  return {
    database,
    now,
    person,
    next,
    several: async (count: number) => Array.fromAsync({ length: count }, () => next()),
    begin,
    ofOnePlace,
    give: (resources?: NightResources) => giveWay(ofOnePlace(resources)),
    stateOf: async (id: string) => (await database().run.findUniqueOrThrow({ where: { id } })).state,
  };
}
