import { expect, test } from 'vitest';
import type { AppError } from '../../../../src/errors.ts';
import { faultWords, localError } from '../../../../src/store/backend/local-error.ts';

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ENOTDIR', 'EISDIR', 'EIO'])(
  'what %s means is said of any folder, that of the spool too, and names no setting of another',
  (code) => {
    expect(faultWords(Object.assign(new Error(code), { code }))).not.toMatch(/[A-Z]{3,}_|repositor/);
  },
);

test.each([
  ['ENOSPC', false],
  ['EROFS', false],
  ['ENOTDIR', false],
  ['EISDIR', false],
  ['EIO', true],
  ['EBUSY', true],
  ['of a kind that nobody knows', true],
])('whether %s may pass by itself: %s', (code, mayPass) => {
  const { retry } = localError(Object.assign(new Error(code), { code }), '/srv/store') as AppError;
  expect(retry !== undefined).toBe(mayPass);
});
