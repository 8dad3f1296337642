import { expect, test } from 'vitest';
import { answerError } from '../../../../src/store/backend/s3/s3-error.ts';

test.each(['constructor', '__proto__', 'toString', 'NoSuchThing'])(
  'a code that no server has says no more than the status: %s',
  (code) => {
    const of = (word: string) =>
      answerError(
        {
          ...{ status: 404, header: () => undefined, isCut: false },
          body: Buffer.from(`<Error><Code>${word}</Code></Error>`),
        },
        'read',
        's3://bucket',
      );
    expect(of(code)).toMatchObject({ code: 'store/not-found', message: of('').message });
  },
);
