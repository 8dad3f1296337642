import { listRefusedSources } from '../../database/nights/refused-sources.ts';
import {
  countLostRotations,
  type Delivery,
  listCircuitsTold,
  listCircuitTimes,
  listOnRecord,
  listToldGone,
  listToldTooShort,
  listWhoMayBeMailed,
  saveDeliveries,
} from '../../database/notices/notices.ts';
import {
  claimKeptFigure,
  findKeptFigure,
  type KeptFigure,
  saveKeptFigure,
} from '../../database/records/kept-figures.ts';
import { listHeldRetentions } from '../../database/repositories/retention.ts';
import { channelsFor, type OperatorNotice } from '../../domain/channels.ts';
import { dateIn } from '../../domain/nights.ts';
import {
  type Channel,
  type DamagedPeople,
  digestOf,
  mailKindOf,
  type Notice,
  noticeOfCircuit,
  noticeOfClosedCircuit,
  noticeOfForecast,
  noticeOfHeldSnapshots,
  noticeOfLostRotations,
  noticeOfReturn,
  noticesForPerson,
  noticesOfRepositories,
} from '../../domain/notices.ts';
import { heldTooLongMs } from '../../domain/retention/held.ts';
import { minuteMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import { type JudgedPerson, listProtectionsOf } from '../nights/find-protection.ts';
import { foreseeNight } from '../nights/foresee-night.ts';
import { nightsOfAll } from '../nights/nights-of-all.ts';
import { recountPeople } from '../nights/tally-people.ts';
import { tallyRepositories } from '../nights/tally-repositories.ts';
import { listWhoMayBeTold } from './list-who-may-be-told.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database'>;

/**
 * Puts the notices on record that follow from the verdicts as they are now. People are notified of what they can mend. Operators get one digest
 * after each night, and are notified of repositories that are damaged, gone or unverified, of snapshots that do not go as agreed, and of windows that
 * will be too short. Where there are many people, only those are looked at to whom something happened, or whose moment came; everybody is looked at
 * once a night, when the last window is over (or its grace, where a channel reports that), and counted for both purposes at once. It makes no
 * difference who calls this, and how often. Answers how many deliveries are new.
 */
export async function raiseNotices(resources: Needs): Promise<number> {
  const { clock, config, database } = resources;
  const isHeard = (['digest', 'repositories', 'forecast'] as const).some(
    (kind) => operatorChannels(config, kind).length > 0,
  );
  if (!isHeard && config.mail === undefined) {
    // Pages and metrics tell what workers counted last.
    await recountPeople(resources, { since: new Date(0) });
    return 0;
  }
  const at = clock.now();
  let raised = 0;
  const tell: Tell = async (people, now) => {
    const forPeople = people.flatMap((person) =>
      noticesForPerson(person, now).map((notice) => ({ ...notice, userId: person.userId })),
    );
    const mailed = config.mail === undefined ? [] : await mailsFor(resources, forPeople);
    if (mailed.length > 0) raised += await saveDeliveries(database, mailed, now);
  };
  const nights = await nightsOfAll(resources);
  const { night, end } = nights(at, 'end');
  const looked = await findKeptFigure(database, lookedAtAll);
  // Where nobody knows when people were looked at last, everybody is.
  const graceMs = channelsFor('night_over', config.channels).length > 0 ? config.windowGraceMs : 0;
  const over = nights(new Date(at.getTime() - graceMs), 'end').end.getTime() + graceMs;
  const since = looked === null ? at : new Date(over);
  const { tally, at: countedAt, isOwn } = await recountPeople(resources, { since, onBatch: tell });
  if (isOwn) await saveKeptFigure(database, { name: lookedAtAll, value: {}, countedAt, dueAt: countedAt });
  else if (looked !== null && config.mail !== undefined) await tellOfChanges(resources, { looked, tell });
  const held = await listHeldRetentions(database, new Date(at.getTime() - heldTooLongMs));
  const repositories = await tallyRepositories(resources);
  const news = [
    // Before the end of the window nobody was late: what was counted then says nothing of the night.
    ...(countedAt < end ? [] : forOperators(config, 'digest', digestOf(tally, night))),
    ...noticesOfRepositories(repositories, night).flatMap((notice) => forOperators(config, 'repositories', notice)),
    ...(await ofReturns(resources, repositories)),
    ...forOperators(config, 'repositories', noticeOfHeldSnapshots(held.length, night)),
    ...(await ofForecast(resources, at)),
  ];
  return raised + (await saveDeliveries(database, news, at));
}

/** That repositories are back: to each channel that was told, while one of these was gone, that some are. */
async function ofReturns({ config, database }: Needs, counted: DamagedPeople): Promise<Delivery[]> {
  const { backFrom } = counted;
  const deliveries = backFrom === null ? [] : forOperators(config, 'repositories', noticeOfReturn(counted));
  if (backFrom === null || deliveries.length === 0) return [];
  const told = new Set(await listToldGone(database, backFrom));
  return deliveries.filter(({ channel }) => told.has(channel));
}

/** That the windows to come are too short, and that they are long enough again: to each channel once it is otherwise than it was told last. */
async function ofForecast(resources: Needs, at: Date): Promise<Delivery[]> {
  const { config, database } = resources;
  if (operatorChannels(config, 'forecast').length === 0) return [];
  const forecast = await foreseeNight(resources);
  if (forecast === null) return [];
  const tooShort = new Set(await listToldTooShort(database));
  return forOperators(config, 'forecast', noticeOfForecast(forecast, dateIn(config.window.zone, at))).filter(
    ({ channel }) => tooShort.has(channel) === forecast.holds,
  );
}

type Tell = (people: readonly JudgedPerson[], now: Date) => Promise<void>;

/** The figure that keeps when everybody with something new to be notified of was last looked at. */
const lookedAtAll = 'people who were told';
/** A change is on record only once its transaction ends, and clocks differ: changes up to this long before are looked at again. */
const overlapMs = 2 * minuteMs;
/** How long one worker may take; no other begins meanwhile. */
const tellingMs = 10 * minuteMs;
const batch = 1_000;

/**
 * For when there are too many people to go through them all now: looks at those to whom something has happened since the last look, and at those
 * for whom time alone has brought something.
 */
async function tellOfChanges(
  resources: Needs,
  { looked: { countedAt }, tell }: { looked: KeptFigure; tell: Tell },
): Promise<void> {
  const { clock, database } = resources;
  const at = clock.now();
  const until = new Date(at.getTime() + tellingMs);
  if (!(await claimKeptFigure(database, { name: lookedAtAll, countedAt, at, until }))) return;
  const changed = await listWhoMayBeTold(database, { from: new Date(countedAt.getTime() - overlapMs), to: at });
  for (let start = 0; start < changed.length; start += batch)
    await tell(await listProtectionsOf(resources, changed.slice(start, start + batch)), at);
  await saveKeptFigure(database, { name: lookedAtAll, value: {}, countedAt: at, dueAt: at });
}

/**
 * Puts notices for operators on record: of circuits that are open, of circuits that have closed since they were notified, and of rotated tokens
 * that were lost. Where a circuit closed and opened again before they heard that it closed, what they heard is still so.
 */
export async function raiseAlarms({ clock, config, database }: Needs): Promise<number> {
  const at = clock.now();
  const isTold = (kind: OperatorNotice) => operatorChannels(config, kind).length > 0;
  const [circuits, lost] = await Promise.all([
    isTold('circuit') ? listCircuitTimes(database) : [],
    isTold('rotation_lost') ? countLostRotations(database) : 0,
  ]);
  const told = circuits.length === 0 ? [] : await listCircuitsTold(database);
  const knownOpen = new Set(told.flatMap(({ channel, issuer, open }) => (open ? [`${channel} ${issuer}`] : [])));
  const ofCircuits = circuits.flatMap(({ open, closedAt, ...circuit }) => {
    const closed = closedAt === null ? undefined : noticeOfClosedCircuit({ ...circuit, closedAt });
    return forOperators(config, 'circuit', open ? noticeOfCircuit(circuit) : closed).filter(
      ({ channel }) => knownOpen.has(`${channel} ${circuit.issuer}`) !== open,
    );
  });
  const ofLoss = lost > 0 ? noticeOfLostRotations(lost, dateIn(config.window.zone, at)) : undefined;
  const deliveries = [...ofCircuits, ...forOperators(config, 'rotation_lost', ofLoss)];
  return deliveries.length === 0 ? 0 : saveDeliveries(database, deliveries, at);
}

/** The first thing that each person was not told yet, where they may be mailed and want to be. */
async function mailsFor(
  { clock, database }: Needs,
  notices: readonly (Notice & { userId: string })[],
): Promise<Delivery[]> {
  if (notices.length === 0) return [];
  const deliveries = notices.map((notice) => ({ ...notice, channel: 'mail-person' as const }));
  const [allowed, told] = await Promise.all([
    listWhoMayBeMailed(database, { userIds: notices.map(({ userId }) => userId), at: clock.now() }),
    listOnRecord(database, deliveries),
  ]);
  const isWanted = ({ key, userId, facts }: (typeof deliveries)[number]) =>
    !told.has(key) && allowed.get(userId)?.includes(mailKindOf(facts)) === false;
  const wanted = deliveries.filter((delivery) => isWanted(delivery) && allowed.delete(delivery.userId));
  const runs = wanted.flatMap(({ runId }) => (runId === undefined ? [] : [runId]));
  const refused = await listRefusedSources(database, runs);
  return wanted.map(({ runId, facts, ...delivery }) => {
    const names = refused.get(runId ?? '') ?? [];
    return { ...delivery, facts: facts.kind === 'person' && names.length > 0 ? { ...facts, refused: names } : facts };
  });
}

function forOperators(config: Needs['config'], kind: OperatorNotice, notice: Notice | undefined): Delivery[] {
  return notice === undefined ? [] : operatorChannels(config, kind).map((channel) => ({ ...notice, channel }));
}

/** Mail is for all that is no sign of life. */
function operatorChannels({ mail, operatorMail, channels }: Needs['config'], kind: OperatorNotice): Channel[] {
  const byMail = mail !== undefined && operatorMail !== undefined;
  return [...(byMail ? (['mail-operator'] as const) : []), ...channelsFor(kind, channels)];
}
