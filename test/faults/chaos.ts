import { setTimeout } from 'node:timers/promises';
import type { Fault } from '../../demo/provider/faults/faults.ts';
import type { LoggedRequest } from '../../demo/provider/log/request-log.ts';
import { endSilentExchanges } from '../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../src/database/custody/leases.ts';
import { minuteMs } from '../../src/durations.ts';
import { isAppError } from '../../src/errors.ts';
import { keepAlive } from '../../src/flows/custody/keep-alive.ts';
import { exchangeNow, obtainAccess } from '../../src/flows/custody/obtain-access.ts';
import { openToken } from '../../src/flows/custody/offline-token.ts';
import { replaySpool } from '../../src/flows/custody/spool-answer.ts';
import type { Custody } from '../support/harness/custody.ts';
import { type FaultFixture, openFaultFixture } from '../support/harness/faults.ts';
import { type Around, intercept, type Step } from './intercept.ts';

const healEveryMinutes = 10;

/** One thing that happens to Nightkeep: what a worker does, what time does, and what goes wrong. */
export type Happening =
  | { what: 'exchange'; worker: number; grant: number }
  | { what: 'access'; workers: number[]; grant: number }
  | { what: 'sweep'; workers: number[] }
  | { what: 'heal'; worker: number }
  | { what: 'pass'; minutes: number }
  | { what: 'fault'; fault: Fault }
  | { what: 'outage'; worker: number; at: 'database' | 'disk'; in: number; times: number; effect: 'none' | 'done' }
  | { what: 'crash'; worker: number; in: number }
  | { what: 'role'; person: number; has: boolean }
  | { what: 'enabled'; person: number; is: boolean }
  | { what: 'not before'; set: boolean }
  | { what: 'secret'; right: boolean }
  | { what: 'provider'; up: boolean }
  | { what: 'renew'; person: number };

/** A process: its resources with whatever is about to go wrong in it. */
interface Worker {
  custody: Custody;
  /** Exchanges whose answer the disk did not take. */
  inMemory: string[];
  dead: boolean;
  plans: { left: number; times: number; at?: Step['at']; effect?: 'none' | 'done'; crash: boolean }[];
}

export interface Chaos extends AsyncDisposable {
  readonly world: FaultFixture;
  readonly errors: unknown[];
  /** Consents anew for everybody, so that what follows does not depend on what was before. */
  begin(): Promise<void>;
  happen(happening: Happening): Promise<void>;
  /** Puts everything right at the provider and here, and lets some days pass with healing and sweeps. */
  settle(): Promise<void>;
  /** Requests since `begin` that no correct client makes: under way at once, or with a token that was replaced. */
  offences(): LoggedRequest[];
  /** Living sessions of the provider whose grant here is not in order, of those that a correct client would hold. */
  wronged(): Promise<string[]>;
}

const never = new Promise<never>(() => {});
const crashes = new WeakMap<Worker, () => void>();

export async function openChaos({
  reuse,
  people,
  workers,
}: {
  reuse: number;
  people: number;
  workers: number;
}): Promise<Chaos> {
  const world = await openFaultFixture({ reuse, count: people });
  const { provider, fixture } = world;
  const secret = fixture.resources.config.provider.secrets[0] ?? '';
  const { clientId } = fixture.resources.issuer;
  const errors: unknown[] = [];
  /** Exchanges whose token died in the memory of a process, before any disk or database had it. */
  const diedInMemory = new Set<string>();
  const ids: string[] = [];
  let entered = 0;
  let known = 0;
  const enter = (): Worker => {
    entered += 1;
    const worker: Worker = { plans: [], inMemory: [], dead: false, custody: world.enter(`worker ${entered}`) };
    worker.custody = intercept(worker.custody, unlucky(worker));
    return worker;
  };
  const staff = Array.from({ length: workers }, enter);
  const at = (index: number): Worker => staff[index % staff.length] ?? enter();
  const person = (index: number) => world.people[index % world.people.length]?.username ?? '';

  /** Runs one thing a worker does; a worker that crashes in it is replaced, and nobody waits for the dead one. */
  async function run(index: number, work: (custody: Custody) => Promise<unknown>): Promise<void> {
    const worker = at(index);
    const { promise: dead, resolve: die } = Promise.withResolvers<'dead'>();
    crashes.set(worker, () => die('dead'));
    const done = work(worker.custody).catch((error: unknown) => {
      errors.push(error);
      if (!isAppError(error) && !/terminated|ENOSPC/.test(String(error))) throw error;
    });
    if ((await Promise.race([done, dead])) === 'dead') staff[index % staff.length] = enter();
  }

  async function happen(happening: Happening): Promise<void> {
    const { admin, faults } = provider;
    switch (happening.what) {
      case 'exchange':
        return run(happening.worker, (custody) => exchangeNow(custody, ids[happening.grant % ids.length] ?? ''));
      case 'access': {
        const grantId = ids[happening.grant % ids.length] ?? '';
        const ask = (custody: Custody) => obtainAccess(custody, { grantId, minimumSeconds: 600 });
        await Promise.all([...new Set(happening.workers.map((one) => one % staff.length))].map((one) => run(one, ask)));
        return;
      }
      case 'sweep':
        await Promise.all(
          [...new Set(happening.workers.map((one) => one % staff.length))].map((one) => run(one, keepAlive)),
        );
        return;
      case 'heal':
        return run(happening.worker, heal);
      case 'pass':
        return pass(happening.minutes);
      case 'fault':
        return faults.next(happening.fault);
      case 'outage':
        at(happening.worker).plans.push({ ...happening, left: happening.in, crash: false });
        return;
      case 'crash':
        at(happening.worker).plans.push({ left: happening.in, times: 1, crash: true });
        return;
      case 'role':
        return admin.setOfflineRole(person(happening.person), happening.has);
      case 'enabled':
        return admin.setUser(person(happening.person), { enabled: happening.is });
      case 'not before':
        return admin.setRealm({ notBefore: happening.set ? admin.now() : 0 });
      case 'secret':
        return admin.setClientSecret(clientId, happening.right ? secret : 'another');
      case 'provider':
        return happening.up ? provider.up() : provider.down();
      case 'renew':
        await renew(happening.person);
    }
  }

  /** Time passes as it does for workers, who heal every ten minutes, and for a provider that answers within a minute. */
  async function pass(minutes: number): Promise<void> {
    while (provider.log.requests().some(({ ended }) => ended === undefined)) await setTimeout(1);
    world.pass(Math.min(minutes, healEveryMinutes) * minuteMs);
    if (minutes < healEveryMinutes) return;
    for (const index of staff.keys()) await run(index, heal);
    world.pass((minutes - healEveryMinutes) * minuteMs);
  }

  async function renew(index: number): Promise<void> {
    const chosen = world.people[index % world.people.length];
    if (chosen !== undefined) await world.consent(chosen).catch((error: unknown) => errors.push(error));
  }

  async function settle(): Promise<void> {
    provider.faults.clear();
    await happen({ what: 'provider', up: true });
    await happen({ what: 'secret', right: true });
    await happen({ what: 'not before', set: false });
    for (const index of world.people.keys()) {
      await happen({ what: 'role', person: index, has: true });
      await happen({ what: 'enabled', person: index, is: true });
    }
    const healthy = world.enter('healthy');
    for (let hours = 0; hours < 12 * 24; hours += hours < 24 ? 1 : 12) {
      world.pass((hours < 24 ? 60 : 720) * minuteMs);
      await heal(healthy);
      await keepAlive(healthy);
    }
    await healthy.database.grant.updateMany({ data: { nextExchangeAt: healthy.clock.now() } });
    await keepAlive(healthy);
  }

  async function begin(): Promise<void> {
    diedInMemory.clear();
    ids.splice(0);
    known = provider.log.requests().length;
    for (const index of staff.keys()) staff[index] = enter();
    for (const one of world.people) ids.push(await world.consent(one));
  }

  function offences(): LoggedRequest[] {
    const { log } = provider;
    return [...log.overlaps().map(([, late]) => late), ...log.replays()].filter(({ number }) => number > known);
  }

  async function wronged(): Promise<string[]> {
    const { database, keyring } = fixture.resources;
    const excused = await database.exchange.findMany({
      where: { id: { in: [...diedInMemory] } },
      select: { grantId: true },
    });
    const dead = new Set(excused.map(({ grantId }) => grantId));
    const grants = await database.grant.findMany({ include: { generations: true } });
    const newest = new Map(provider.log.grants().map((logged) => [logged.subject, logged]));
    return grants.flatMap((grant) => {
      const logged = newest.get(grant.subject);
      if (!logged?.held || dead.has(grant.id)) return [];
      const current = grant.generations.find(({ number }) => number === grant.generation);
      const owner = { userId: grant.userId, grantId: grant.id };
      const token = current && openToken(keyring, owner, current);
      if (grant.state === 'active' && token === logged.token) return [];
      return [`${grant.state} (${grant.reason}), ${token === logged.token ? 'the token that works' : 'another token'}`];
    });
  }

  return {
    world,
    errors,
    happen,
    begin,
    settle,
    offences,
    wronged,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };

  function unlucky(worker: Worker): Around {
    return async (step, call) => {
      if (worker.dead) return crash(worker, step);
      const plan = worker.plans.find((one) => one.at === undefined || one.at === step.at);
      if (plan === undefined) return call();
      if (plan.left > 0) {
        plan.left -= 1;
        return call();
      }
      plan.times -= 1;
      if (plan.times <= 0) worker.plans.splice(worker.plans.indexOf(plan), 1);
      if (plan.crash) return crash(worker, step);
      if (plan.effect === 'done') await call();
      else if (step.exchangeId !== undefined) worker.inMemory.push(step.exchangeId);
      throw new Error(step.at === 'disk' ? 'ENOSPC: no space left on device' : 'Connection terminated unexpectedly');
    };
  }

  /** The process is gone: this step and all that would follow it never happen. */
  function crash(worker: Worker, step: Step): Promise<never> {
    if (step.exchangeId !== undefined) worker.inMemory.push(step.exchangeId);
    for (const id of worker.inMemory) diedInMemory.add(id);
    worker.dead = true;
    crashes.get(worker)?.();
    return never;
  }
}

async function heal(custody: Custody): Promise<void> {
  await replaySpool(custody);
  const at = custody.clock.now();
  await endSilentExchanges(custody.database, { before: new Date(at.getTime() - silenceMs), at });
}
