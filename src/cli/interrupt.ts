import { AppError } from '../errors.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted by Ctrl-C and its like, so that a command can end in good order; a second one ends the process. */
export function openInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const interrupt = new AbortController();
  const stop = () => {
    forget();
    interrupt.abort(new AppError('run/stopped', 'Stopped.'));
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.once(signal, stop);
  return { signal: interrupt.signal, [Symbol.dispose]: forget };
}
