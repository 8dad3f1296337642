import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../../src/clock.ts';
import { AppError } from '../../../../src/errors.ts';
import type { Backend } from '../../../../src/store/backend/backend.ts';
import { retrying } from '../../../../src/store/backend/retrying.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';

const passing = () => new AppError('store/unavailable', 'Busy.', { retry: { afterMs: 100 } });
const lasting = () => new AppError('store/unavailable', 'Full.');
const name = 'ab'.repeat(32);

function recordingClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(0),
    elapsed: () => 0,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
    every: () => ({ [Symbol.dispose]() {} }),
  };
}

/** Fails the first `times` calls of one verb, before or after it did its work. */
function failing(
  verb: 'save' | 'load' | 'remove',
  times: number,
  error: () => Error,
  when: 'before' | 'after',
): Backend {
  const backend = openMemoryBackend();
  let left = times;
  const work = backend[verb] as (...args: unknown[]) => Promise<unknown>;
  const wrapped = async (...args: unknown[]) => {
    if (left-- > 0) {
      if (when === 'after') await work(...args);
      throw error();
    }
    return work(...args);
  };
  return { ...backend, [verb]: wrapped };
}

describe('retrying', () => {
  test('tries again what can pass, with twice the pause each time', async () => {
    const clock = recordingClock();
    const backend = retrying(failing('save', 3, passing, 'before'), { clock });
    await backend.save('key', name, Buffer.of(1));
    expect(await backend.load('key', name)).toEqual(Buffer.of(1));
    expect(clock.slept).toEqual([100, 200, 400]);
  });

  test('gives up after its attempts', async () => {
    const clock = recordingClock();
    const backend = retrying(failing('load', 9, passing, 'before'), { clock, attempts: 3 });
    await expect(backend.load('key', name)).rejects.toMatchObject({ message: 'Busy.' });
    expect(clock.slept).toHaveLength(2);
  });

  test('does not try again what cannot pass', async () => {
    const clock = recordingClock();
    await expect(
      retrying(failing('save', 1, lasting, 'before'), { clock }).save('key', name, Buffer.of(1)),
    ).rejects.toThrow();
    await expect(retrying(openMemoryBackend(), { clock }).load('key', name)).rejects.toMatchObject({
      code: 'store/not-found',
    });
    expect(clock.slept).toEqual([]);
  });

  test('a save whose answer was lost counts as done', async () => {
    const backend = retrying(failing('save', 1, passing, 'after'), { clock: recordingClock() });
    await backend.save('key', name, Buffer.of(1));
    await expect(backend.save('key', name, Buffer.of(1))).rejects.toMatchObject({ code: 'store/exists' });
  });

  test('a removal whose answer was lost counts as done', async () => {
    const backend = retrying(failing('remove', 1, passing, 'after'), { clock: recordingClock() });
    await backend.save('key', name, Buffer.of(1));
    await backend.remove('key', name);
  });

  test('stops waiting when the signal says so', async () => {
    const backend = retrying(failing('load', 9, passing, 'before'), {
      clock: recordingClock(),
      signal: AbortSignal.abort(new Error('stopped')),
    });
    await expect(backend.load('key', name)).rejects.toThrow('stopped');
  });

  test('pauses no longer than it is allowed to', async () => {
    const clock = recordingClock();
    const backend = retrying(failing('load', 9, passing, 'before'), { clock, attempts: 5, longestPauseMs: 300 });
    await expect(backend.load('key', name)).rejects.toMatchObject({ code: 'store/unavailable' });
    expect(clock.slept).toEqual([100, 200, 300, 300]);
  });

  test('waits for what it saved, where the store does not show it yet, and for nothing else', async () => {
    const clock = recordingClock();
    const unseen = () => new AppError('store/not-found', 'Not there.');
    const backend = retrying(failing('load', 2, unseen, 'before'), { clock });
    await backend.save('key', name, Buffer.of(1));
    expect(await backend.load('key', name)).toEqual(Buffer.of(1));
    expect(clock.slept).toEqual([500, 1000]);
    await backend.remove('key', name);
    await expect(backend.load('key', name)).rejects.toMatchObject({ code: 'store/not-found' });
    expect(clock.slept).toHaveLength(2);
  });
});
