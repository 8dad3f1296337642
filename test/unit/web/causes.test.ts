import { describe, expect, test } from 'vitest';
import { causeOf } from '../../../src/web/pages/operator/causes.ts';
import { listTexts } from '../../../src/web/texts/languages.ts';

describe.each(listTexts().map((texts) => [texts.language, texts] as const))('in %s', (_, texts) => {
  const { causes, changed, damaged, unreadable } = texts.operator;

  test.each(['source/not-found', 'source/malformed', 'source/unavailable', 'source/too-large', 'source/loop', null])(
    'that an entry could not be read (%s) says nothing of the address or of the whole server',
    (errorCode) => expect(causeOf({ state: 'partial', errorCode }, texts)).toBe(unreadable),
  );

  test('an entry that changed, was refused or is damaged is called that', () => {
    const of = (errorCode: string) => causeOf({ state: 'partial', errorCode }, texts);
    expect(['source/changed', 'source/forbidden', 'repository/damaged'].map(of)).toEqual([
      changed,
      causes.server_refuses,
      damaged,
    ]);
  });

  test('a run that failed says what is wrong with the server or its address', () => {
    const of = (errorCode: string) => causeOf({ state: 'failed', errorCode }, texts);
    expect(['source/unavailable', 'source/not-found'].map(of)).toEqual([causes.server_away, causes.address_wrong]);
  });
});
