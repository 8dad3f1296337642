import { expect, test } from 'vitest';
import { faultWords } from '../../../../src/store/backend/local-error.ts';

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ENOTDIR', 'EIO'])(
  'what %s means is said of any folder, that of the spool too, and names no setting of another',
  (code) => {
    expect(faultWords(Object.assign(new Error(code), { code }))).not.toMatch(/[A-Z]{3,}_|repositor/);
  },
);
