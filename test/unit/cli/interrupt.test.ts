import { expect, test } from 'vitest';
import { exitCodeOfInterrupt, openInterrupt } from '../../../src/cli/interrupt.ts';

test('the first Ctrl-C aborts, and the next one is the process again', () => {
  const before = process.listenerCount('SIGINT');
  using interrupt = openInterrupt();
  expect(interrupt.signal.aborted).toBe(false);
  process.emit('SIGINT', 'SIGINT');
  expect(interrupt.signal.reason).toMatchObject({ code: 'run/stopped' });
  expect(exitCodeOfInterrupt(interrupt.signal.reason)).toBe(130);
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('nothing is left listening once the work is done', () => {
  const before = process.listenerCount('SIGTERM');
  {
    using _interrupt = openInterrupt();
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  }
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
