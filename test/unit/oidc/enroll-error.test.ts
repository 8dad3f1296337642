import { expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { enrollError } from '../../../src/oidc/enroll-error.ts';

test.each(['constructor', '__proto__', 'toString'])(
  'a word of the provider that every object knows is none that is known: %s',
  (error) => {
    const cause = Object.assign(new Error('refused'), { code: error });
    const { code, message } = enrollError('device', cause);
    expect(enrollError('device', cause)).toBeInstanceOf(AppError);
    expect([typeof code, typeof message]).toEqual(['string', 'string']);
    expect(code).toBe('provider/unavailable');
  },
);
