import { bytesWords } from '../../count-words.ts';
import { findNightSwitch, type NightSwitch } from '../../database/audit.ts';
import type { Database } from '../../database/client.ts';
import { hasQueueTables, isQueuePaused } from '../../database/server/inspect-server.ts';
import { backUpQueueName, queuePrefix } from '../../queues/connection.ts';
import { askRedisForeign, foreignWords } from '../../queues/foreign-data.ts';
import { askRedisInfo, askRedisSwitches } from '../../queues/inspect-redis.ts';
import { redisFault } from '../../queues/redis-fault.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { quoted } from '../words.ts';

const name = 'queue';
const least = [6, 2] as const;

export const queue: Check = {
  name,
  run: async ({ database, option, records }) => {
    const redisUrl = option('redisUrl');
    const pausedBy = async () => checkPause(await findSwitch(records));
    if (redisUrl === undefined) {
      const present = await hasQueueTables(await database(), queuePrefix);
      const paused = present && (await isQueuePaused(await database(), queuePrefix, backUpQueueName));
      if (paused) return pausedBy();
      return ok(
        name,
        `It is in PostgreSQL${present ? ', and its tables are there' : '; the first start creates its tables'}.`,
      );
    }
    try {
      const found = checkRedis(readInfo(await askRedisInfo(redisUrl)));
      const foreign = found.state === 'wrong' ? [] : await askRedisForeign(redisUrl);
      if (found.state === 'wrong') return found;
      if (foreign.length > 0) return [found, checkForeign(foreign)];
      const { paused, limits } = await askRedisSwitches(redisUrl);
      return [found, ...(paused ? [await pausedBy()] : []), ...(limits.length > 0 ? [checkLimits(limits)] : [])];
    } catch (error) {
      return checkRedisFault(error);
    }
  },
};

async function findSwitch(records: () => Promise<Database>): Promise<NightSwitch | null> {
  const last = await records().then(findNightSwitch, () => null);
  return last?.act === 'night-paused' && last.by.kind !== 'outside' ? last : null;
}

/** A paused queue: no worker takes anything from it, by whomever that was asked for. */
export function checkPause(by: Pick<NightSwitch, 'at' | 'by' | 'reason'> | null): Finding {
  const resume = 'Resume it: nightkeep queue --resume, or the page Queues.';
  if (by === null)
    return wrong(
      name,
      'It is paused, but not by Nightkeep: another program, such as a queue board, did that. No worker starts a run.',
      resume,
    );
  const who = [by.by.kind, by.by.name ?? by.by.id].filter((word) => word !== null).join(' ');
  const why = by.reason === null ? '' : ` (${quoted(by.reason)})`;
  return warn(
    name,
    `It is paused by ${quoted(who)} since ${by.at.toISOString()}${why}. No worker starts a run.`,
    resume,
  );
}

/** What Redis says of itself (INFO), by name. */
export function readInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Whether Redis is one that a queue may live in. */
export function checkRedis(info: ReadonlyMap<string, string>): Finding {
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < least[0] || (major === least[0] && minor < least[1]))
    return wrong(name, `Redis ${version} is too old.`, `Use Redis ${least.join('.')} or newer.`);
  if (info.get('role') === 'slave')
    return wrong(name, 'Redis is a replica and accepts no writes.', 'Let REDIS_URL name the primary.');
  if (info.get('loading') === '1')
    return warn(name, 'Redis is still loading its data.', 'Wait, then run the doctor again.');
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    return wrong(
      name,
      `Redis drops jobs when its memory is full (maxmemory-policy ${policy}).`,
      'Set maxmemory-policy to noeviction.',
    );
  const [used, most] = [Number(info.get('used_memory') ?? 0), Number(info.get('maxmemory') ?? 0)];
  if (most > 0 && used > most * 0.9)
    return warn(name, `Redis has used ${bytesWords(used)} of ${bytesWords(most)}.`, 'Raise its maxmemory.');
  return checkPersistence(version, info);
}

/** A queue that is lost is filled again from PostgreSQL, so nothing more than time is at stake. */
function checkPersistence(version: string, info: ReadonlyMap<string, string>): Finding {
  if (info.get('aof_enabled') === '1' && info.get('aof_last_write_status') !== 'err')
    return ok(name, `Redis ${version} answers, drops nothing and keeps its data over a restart.`);
  if (info.get('rdb_last_bgsave_status') === 'err' || info.get('aof_last_write_status') === 'err')
    return warn(name, 'Redis could not write its data to disk recently.', 'Look at the disk of Redis, and at its log.');
  return warn(
    name,
    `Redis ${version} answers and drops nothing, but may forget the latest jobs when it restarts.`,
    'Turn appendonly on; otherwise nightkeep heal, which workers run every ten minutes, fills the queue again.',
  );
}

function checkForeign(found: Parameters<typeof foreignWords>[0]): Finding {
  const { what, cure } = foreignWords(found);
  return wrong(name, what, cure);
}

/** What BullMQ calls the limits of a queue; Nightkeep sets none, since workers have their own. */
function checkLimits(limits: readonly (readonly [name: string, value: string])[]): Finding {
  const each = limits.map(([limit, value]) => `${limit} ${quoted(value.slice(0, 20))}`).join(', ');
  const fields = limits.map(([limit]) => limit).join(' ');
  return wrong(
    name,
    `Another program limits how many runs the queue gives out: ${each}.`,
    `Remove that in Redis: HDEL ${queuePrefix}:${backUpQueueName}:meta ${fields}`,
  );
}

/** Why Redis cannot be used: it refuses, or does not answer. */
export function checkRedisFault(error: unknown): Finding {
  const fault = redisFault(error);
  if (fault !== undefined) return wrong(name, ...fault);
  return wrong(
    name,
    'Nothing answers where REDIS_URL points.',
    'Start Redis, or correct host, port and redis:// or rediss:// in REDIS_URL.',
  );
}
