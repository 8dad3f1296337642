import { askRedis, backUpQueueName, queuePrefix } from './connection.ts';

/** Redis's INFO. Throws what the driver throws; leaves nothing open. */
export async function askRedisInfo(url: string): Promise<string> {
  return askRedis(url, (client) => client.info());
}

/** Whether the queue in that Redis is paused, and the limits that somebody set it. Throws what the driver throws; leaves nothing open, and changes nothing. */
export async function askRedisSwitches(url: string): Promise<{ paused: boolean; limits: [string, string][] }> {
  const [paused, ...limits] = ['paused', 'concurrency', 'max', 'duration'] as const;
  return askRedis(url, async (client) => {
    const values = await client.hmget(`${queuePrefix}:${backUpQueueName}:meta`, paused, ...limits);
    const set = limits.flatMap((name, index): [string, string][] => {
      const value = values[index + 1] ?? undefined;
      return value === undefined ? [] : [[name, value]];
    });
    return { paused: values[0] !== null, limits: set };
  });
}
