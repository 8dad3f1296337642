import { type Delivery, listOnRecord, saveDeliveries } from '../../database/notices/notices.ts';
import { channelsFor, type OperatorNotice } from '../../domain/channels.ts';
import { type Notice, noticeOfNightBegun, noticeOfNightOver } from '../../domain/notices.ts';
import { hourMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import { nightsOfAll } from '../nights/nights-of-all.ts';
import { recountPeople } from '../nights/tally-people.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database'>;

/** A night that ended longer ago is not told any more, as after a day without any worker. */
const longestAgoMs = 12 * hourMs;

/**
 * Puts on record what heartbeats tell of the night of all plans: that the first of their windows has opened, and, once the last has ended and
 * `WINDOW_GRACE` is over as well, how people are, once a worker has counted that. Nothing where nobody is backed up. Answers how many deliveries are new.
 */
export async function raiseNights(resources: Needs): Promise<number> {
  const { clock, config, database } = resources;
  if (!config.channels.some(({ about }) => about.includes('night_begun') || about.includes('night_over'))) return 0;
  const at = clock.now();
  const nights = await nightsOfAll(resources);
  const [begun, over] = [nights(at, 'start'), nights(at, 'end')];
  const end = new Date(over.end.getTime() + config.windowGraceMs);
  const hasEnded = end <= at && at.getTime() - end.getTime() < longestAgoMs;
  const [beginning, ending] = await Promise.all([
    at < begun.end ? unsaid(resources, 'night_begun', noticeOfNightBegun(begun.night)) : [],
    hasEnded ? unsaid(resources, 'night_over', noticeOfNightOver(over.night)) : [],
  ]);
  if (beginning.length + ending.length === 0) return 0;
  const { tally, at: countedAt } = await recountPeople(resources, { since: ending.length > 0 ? end : new Date(0) });
  if (Object.values(tally.verdicts).every((people) => people === 0)) return 0;
  const { facts } = noticeOfNightOver(over.night, tally);
  const ended = countedAt < end ? [] : ending.map((delivery) => ({ ...delivery, facts }));
  return saveDeliveries(database, [...beginning, ...ended], at);
}

/** The deliveries of the notice, where it is not on record. */
async function unsaid({ config, database }: Needs, kind: OperatorNotice, notice: Notice): Promise<Delivery[]> {
  const deliveries = channelsFor(kind, config.channels).map((channel) => ({ ...notice, channel }));
  return (await listOnRecord(database, deliveries)).size === 0 ? deliveries : [];
}
