import type { AppError } from '../errors.ts';
import type { Source } from './source.ts';

/** A source that is not asked, for this reason. */
export function refusedSource({
  name,
  address,
  error,
}: Pick<Source, 'name' | 'address'> & { error: AppError }): Source {
  const refuse = async () => {
    throw error;
  };
  return {
    name,
    address,
    roots: refuse,
    list: refuse,
    open: refuse,
    traffic: { requests: 0, bytes: 0 },
    async [Symbol.asyncDispose]() {},
  };
}
