import { constants } from 'node:os';
import { AppError, isAppError } from '../errors.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted by Ctrl-C and its like, so that a command can end in good order; a second one ends the process. */
export function openInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const interrupt = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    forget();
    interrupt.abort(new AppError('run/stopped', 'Stopped.', { detail: { signal } }));
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.once(signal, stop);
  return { signal: interrupt.signal, [Symbol.dispose]: forget };
}

/** The same stop in other words, such as what it has left behind and how to go on; any other error as it is. */
export function saidOfStop(error: unknown, words: string): unknown {
  if (!isAppError(error, 'run/stopped')) return error;
  return new AppError('run/stopped', words, { cause: error, detail: error.detail });
}

/** The exit code of a command that ended so because somebody stopped it, as shells count: 130 after Ctrl-C; undefined for other errors. */
export function exitCodeOfInterrupt(error: unknown): number | undefined {
  if (!isAppError(error, 'run/stopped')) return undefined;
  const signal = signals.find((name) => name === error.detail.signal);
  return signal && 128 + constants.signals[signal];
}
