import { describe, expect, test, vi } from 'vitest';
import { abortToo, untilAborted, whenAborted } from '../../src/abort.ts';

const reason = new Error('stopped');

describe('a task for an abort', () => {
  test('is called once, with the reason', () => {
    const controller = new AbortController();
    const task = vi.fn();
    whenAborted(controller.signal, task);
    expect(task).not.toHaveBeenCalled();
    controller.abort(reason);
    controller.abort(reason);
    expect(task.mock.calls).toEqual([[reason]]);
  });

  test('is called at once where the signal is aborted already', () => {
    const task = vi.fn();
    whenAborted(AbortSignal.abort(reason), task);
    expect(task.mock.calls).toEqual([[reason]]);
  });

  test('is not called once it was taken back', () => {
    const controller = new AbortController();
    const task = vi.fn();
    whenAborted(controller.signal, task)();
    controller.abort(reason);
    expect(task).not.toHaveBeenCalled();
  });
});

describe('several tasks for one abort', () => {
  test('share one listener of the signal, which goes with the last of them', () => {
    const { signal } = new AbortController();
    const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    const takeBack = [vi.fn(), vi.fn(), vi.fn()].map((task) => whenAborted(signal, task));
    expect(added).toHaveBeenCalledTimes(1);
    for (const back of takeBack.slice(1)) back();
    expect(removed).not.toHaveBeenCalled();
    takeBack[0]?.();
    takeBack[0]?.();
    expect(removed).toHaveBeenCalledTimes(1);
    whenAborted(signal, vi.fn());
    expect(added).toHaveBeenCalledTimes(2);
  });

  test('are called in their order, each as often as it waits, but for those that another took back', () => {
    const controller = new AbortController();
    const called: string[] = [];
    const twice = () => called.push('twice');
    whenAborted(controller.signal, twice);
    whenAborted(controller.signal, () => takeBack());
    whenAborted(controller.signal, twice);
    const takeBack = whenAborted(controller.signal, () => called.push('taken back'));
    whenAborted(controller.signal, () => called.push('last'));
    controller.abort(reason);
    expect(called).toEqual(['twice', 'twice', 'last']);
  });
});

describe('a controller', () => {
  test('is aborted with a signal, for its reason, at once where that is aborted already', () => {
    const first = new AbortController();
    const second = new AbortController();
    abortToo(second, first.signal);
    expect(second.signal.aborted).toBe(false);
    first.abort(reason);
    expect(second.signal.reason).toBe(reason);
    const third = new AbortController();
    abortToo(third, first.signal);
    expect(third.signal.reason).toBe(reason);
  });

  test('goes on by itself once that was taken back', () => {
    const first = new AbortController();
    const second = new AbortController();
    abortToo(second, first.signal)[Symbol.dispose]();
    first.abort(reason);
    expect(second.signal.aborted).toBe(false);
  });
});

describe('work that may be abandoned', () => {
  test('is awaited as long as nothing is aborted, with and without a signal', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve('done'), signal)).toBe('done');
    expect(await untilAborted(Promise.resolve('done'), undefined)).toBe('done');
    await expect(untilAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  test('is not waited for once the signal is aborted, and may fail unheard', async () => {
    const controller = new AbortController();
    const { promise: work, reject } = Promise.withResolvers<void>();
    const waiting = untilAborted(work, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(untilAborted(work, controller.signal)).rejects.toBe(reason);
    reject(new Error('too late'));
  });
});
