import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseHttpDate } from '../../../src/sources/http/date.ts';

describe('a date of HTTP or WebDAV', () => {
  const { TZ } = process.env;
  beforeAll(() => {
    process.env.TZ = 'America/New_York';
  });
  afterAll(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });

  test.each([
    'Wed, 13 Mar 2019 15:19:49 GMT',
    'Wednesday, 13-Mar-19 15:19:49 GMT',
    'Wed Mar 13 15:19:49 2019',
    'Wed, 13 Mar 2019 15:19:49 GMT-00:00',
    'Wed, 13 Mar 2019 15:19:49 +0000',
    'Wed, 13 Mar 2019 16:19:49 +0100',
    'Wed, 13 Mar 2019 10:49:49 -0430',
    'Wed, 13 Mar 2019 15:19:49 UTC',
    'Wed, 13 Mar 2019 15:19:49',
    'Wed, 13-Mar-2019 15:19:49 GMT',
    'Wed Mar 13 15:19:49 GMT 2019',
    '2019-03-13T15:19:49Z',
    '2019-03-13T15:19:49',
    '2019-03-13 15:19:49',
    '2019-03-13T15:19:49.123456Z',
    '2019-03-13T17:19:49+02:00',
    '  Wed, 13 Mar 2019 15:19:49 GMT ',
  ])('%j is that moment in GMT, whatever the zone of this machine', (text) => {
    expect(parseHttpDate(text)?.toISOString()).toBe('2019-03-13T15:19:49.000Z');
  });

  test.each([
    ['Fri, 7 Sep 2018 08:49:58 GMT', '2018-09-07T08:49:58.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Tuesday, 05-Feb-69 08:49:37 GMT', '2069-02-05T08:49:37.000Z'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00.000Z'],
    ['Sat, 29 Feb 2020 23:59:59 GMT', '2020-02-29T23:59:59.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['Fri, 31 Dec 9999 23:59:59 GMT', '9999-12-31T23:59:59.000Z'],
  ])('%j is %s', (text, iso) => {
    expect(parseHttpDate(text)?.toISOString()).toBe(iso);
  });

  test.each([
    '',
    'Mon, 01 Jan 0001 00:00:00 GMT',
    '0001-01-01T00:00:00Z',
    'Mon, 01 Jan 1601 00:00:00 GMT',
    'Wed, 31 Dec 1969 23:59:59 GMT',
    'Thu, 01 Jan 1970 00:00:00 +0100',
    'Thu, 14 Sep 30828 02:48:05 GMT',
    'Mi, 13 Mär 2019 15:19:49 GMT',
    'Wed, 30 Feb 2019 15:19:49 GMT',
    'Wed, 13 Mar 2019 24:00:00 GMT',
    'Wed, 13 Mar 2019 15:61:49 GMT',
    'Wed, 00 Mar 2019 15:19:49 GMT',
    'Wed, 13 anF 2019 15:19:49 GMT',
    '2019-13-01T00:00:00Z',
    '1552490389',
    '2019',
    'yesterday',
    'Wed, 13 Mar 2019 15:19:49 PST',
  ])('%j is none', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });
});
