import { AppError } from '../errors.ts';

/** A setting that is missing or wrong; `what` goes on after its name and holds the cure. */
export function invalid(name: string, what: string): AppError {
  return new AppError('config/invalid', `${name} ${what}.`);
}
