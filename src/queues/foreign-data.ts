import type { Redis } from 'ioredis';
import { askRedis, backUpQueueName, type QueueConnection, queuePrefix } from './connection.ts';

/** What the queue keeps under each of its keys in Redis (BullMQ), by the type that Redis calls it; numbers are strings there. */
const keptAs = {
  active: 'list',
  completed: 'zset',
  delayed: 'zset',
  events: 'stream',
  failed: 'zset',
  id: 'number',
  limiter: 'number',
  marker: 'zset',
  meta: 'hash',
  paused: 'list',
  pc: 'number',
  prioritized: 'zset',
  repeat: 'zset',
  stalled: 'set',
  'stalled-check': 'string',
  wait: 'list',
  'waiting-children': 'zset',
} as const;

/** A key of the queue in Redis that holds something else, which another program must have put there. */
export interface ForeignKey {
  readonly key: string;
  /** Types as Redis names them, or `number`. */
  readonly holds: string;
  readonly keeps: string;
}

/** The keys of the queue in that Redis that another program wrote. Throws what the driver throws; leaves nothing open, and changes nothing. */
export async function askRedisForeign(url: string, prefix = queuePrefix): Promise<ForeignKey[]> {
  return askRedis(url, async (client) => {
    const all = Object.entries(keptAs).map(async ([name, keeps]) => {
      const key = `${prefix}:${backUpQueueName}:${name}`;
      const type = await client.type(key);
      const isNumber =
        type === 'string' && keeps === 'number' && /^-?\d{1,18}$/.test(await client.getrange(key, 0, 20));
      return { key, holds: isNumber ? 'number' : type, keeps };
    });
    return (await Promise.all(all)).filter(({ holds, keeps }) => holds !== 'none' && holds !== keeps);
  });
}

/** What is wrong with keys that another program wrote, and the cure. */
export function foreignWords(found: readonly ForeignKey[]): { what: string; cure: string } {
  const each = found.map(({ key, holds, keeps }) => `${key} as a ${holds} where the queue keeps a ${keeps}`);
  return {
    what: `Redis holds what another program put there: ${each.join(', ')}. No run is given out.`,
    cure: `Let that program use another database or prefix, then delete it in Redis: DEL ${found.map(({ key }) => key).join(' ')}. The queue is filled again by nightkeep heal, which workers run every ten minutes.`,
  };
}

/** Whether Redis says that a key is not of the type that is asked for, or holds no number. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && /WRONGTYPE|value is not an integer/.test(error.message);
}

/** Removes what is no job under these ids, and jobs that stand in no list. Whether there was something that is no job. */
export async function removeBrokenJobs(
  { url, prefix }: Extract<QueueConnection, { kind: 'redis' }>,
  ids: readonly string[],
): Promise<boolean> {
  const base = `${prefix}:${backUpQueueName}:`;
  return askRedis(url, async (client) => {
    let isForeign = false;
    for (const id of ids) {
      const key = base + id;
      const type = await client.type(key);
      if (type === 'none') continue;
      const places = client.pipeline();
      for (const list of ['wait', 'paused', 'active']) places.lpos(base + list, id);
      for (const set of ['delayed', 'prioritized']) places.zscore(base + set, id);
      // In a list of another type it stands nowhere.
      const stands = (await places.exec())?.some(([error, place]) => error === null && place !== null);
      if (type === 'hash' && stands) continue;
      isForeign ||= type !== 'hash';
      await client.unlink(key);
    }
    return isForeign;
  });
}

/** Ours are half as long. */
export const longestId = 100;

/**
 * Takes out of the queue in Redis what comes next and is no job of ours, before it is read: an id that is too long, one under which no job lies,
 * and one that is longer than any of ours. KEYS: wait, delayed, prioritized. ARGV: what keys of jobs begin with, bytes of an id, bytes of a job, how many at most.
 */
const dropScript = `
local dropped = {}
local function fits(id)
  if #id > tonumber(ARGV[2]) then return false end
  local key = ARGV[1] .. id
  local type = redis.call('TYPE', key).ok
  if type == 'none' then return true end
  if type ~= 'hash' then return false end
  local bytes = 0
  if redis.call('HLEN', key) <= 64 then
    for _, field in ipairs(redis.call('HKEYS', key)) do bytes = bytes + #field + redis.call('HSTRLEN', key, field) end
    if bytes <= tonumber(ARGV[3]) then return true end
  end
  redis.call('UNLINK', key)
  return false
end
for at, key in ipairs(KEYS) do
  while #dropped < tonumber(ARGV[4]) do
    local id = at == 1 and redis.call('LINDEX', key, -1) or redis.call('ZRANGE', key, 0, 0)[1]
    if not id or fits(id) then break end
    if at == 1 then redis.call('RPOP', key) else redis.call('ZREM', key, id) end
    table.insert(dropped, string.sub(id, 1, 100))
  end
end
return dropped`;

/** Those of ours are under 8 KiB, with the words of a failure. */
const longestJob = 64 * 1024;
const mostDropped = 100;

/** Takes what comes next in the queue and is no job of ours out of it, unread; answers the beginnings of its ids. Throws what the driver throws. */
export async function dropForeignJobs(client: Redis, prefix: string): Promise<string[]> {
  const base = `${prefix}:${backUpQueueName}:`;
  const keys = ['wait', 'delayed', 'prioritized'].map((name) => base + name);
  const bounds = [longestId, longestJob, mostDropped];
  const dropped = await client.call('EVAL', dropScript, keys.length, ...keys, base, ...bounds);
  return Array.isArray(dropped) ? dropped.map(String) : [];
}
