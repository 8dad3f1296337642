import { describe, expect, test } from 'vitest';
import { adviseOn } from '../../../src/config/advice.ts';
import { findMisspelt } from '../../../src/config/misspelt.ts';
import { names } from '../../../src/config/settings.ts';

const good = {
  filesUrl: 'https://cloud.example/{preferred_username}/',
  port: 3000,
  publicUrl: new URL('http://localhost:3000'),
};

describe('a name that is meant for Nightkeep but is not a setting is found', () => {
  test.each([
    ['OIDC_ISSUR', 'OIDC_ISSUER'],
    ['OIDC_CLIENT_SECRTE_FILE', 'OIDC_CLIENT_SECRET'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['oidc_issuer', 'OIDC_ISSUER'],
    ['NIGHTKEEP_WINDOW', 'WINDOW'],
    ['OIDC_REALM', undefined],
    ['OFFLINE_FOREVER', undefined],
  ])('%s, for %s', (name, meant) => expect(findMisspelt([name])).toEqual([{ name, meant }]));

  test('and no setting, nor what others put into an environment', () => {
    const others = 'HOME PATH HOSTNAME WINDOWID TZ LANG PWD SHELL NODE_ENV NIGHTKEEP_PORT NIGHTKEEP_SERVICE_HOST'.split(
      ' ',
    );
    expect(findMisspelt([...names, ...names.map((name) => `${name}_FILE`), ...others])).toEqual([]);
  });
});

describe('advice is given', () => {
  test('not where nothing is doubtful', () =>
    expect(adviseOn(good, { OIDC_ISSUER: 'https://id.example', PATH: '"/bin"' })).toEqual([]));

  test('on a misspelt name', () =>
    expect(adviseOn(good, { OIDC_ISSUR: 'x', OIDC_REALM: 'x' })).toEqual([
      'OIDC_ISSUR is not a setting and changes nothing. Did you mean OIDC_ISSUER?',
      'OIDC_REALM is not a setting and changes nothing. See: nightkeep settings',
    ]));

  test('on an address for files that is the same for everybody', () =>
    expect(adviseOn({ ...good, filesUrl: 'https://cloud.example/dav/' }, {})).toEqual([
      expect.stringMatching(/^FILES_URL names no claim in braces/),
    ]));

  test.each([
    ['http://localhost:3000', 4896, 'Set PUBLIC_URL to http://localhost:4896, or PORT to 3000.'],
    ['http://127.0.0.1', 3000, 'Set PUBLIC_URL to http://127.0.0.1:3000, or PORT to 80.'],
  ])('on %s with port %i', (url, port, cure) =>
    expect(adviseOn({ ...good, publicUrl: new URL(url), port }, {})).toEqual([expect.stringContaining(cure)]),
  );

  test.each([
    ['https://nightkeep.example', 3000],
    ['http://localhost:3000', 3000],
    ['http://localhost:3000', 0],
  ])('not on %s with port %i', (url, port) =>
    expect(adviseOn({ ...good, publicUrl: new URL(url), port }, {})).toEqual([]),
  );

  test.each([
    ['http://localhost:6000', 6000],
    ['http://localhost:10080', 10080],
    ['https://nightkeep.example:995', 3000],
  ])('on %s, which no browser opens', (url, port) =>
    expect(adviseOn({ ...good, publicUrl: new URL(url), port }, {})).toEqual([
      expect.stringContaining(`browsers refuse to open ${url}.`),
    ]),
  );

  test.each(['"secret"', "'secret'", '“secret”', '„secret“'])(
    'on a value in quotes, which it does not repeat: %s',
    (value) =>
      expect(adviseOn(good, { OIDC_CLIENT_SECRET: value, HOME: value })).toEqual([
        'OIDC_CLIENT_SECRET is in quotes, and they count as a part of it. Leave them out.',
      ]),
  );

  test.each([
    ['CALENDARS_URL', { calendarsUrl: 'https://cloud.example/\u0024{sub}/' }],
    ['CONTACTS_URL', { contactsUrl: 'https://cloud.example/\u0024{sub}/' }],
    ['MAIL_URL', { mailUrl: 'imaps://\u0024{sub}@imap.example' }],
  ])('on a claim in %s that is written like a variable of a shell', (name, settings) =>
    expect(adviseOn({ ...good, ...settings }, {})).toEqual([expect.stringContaining(`${name} has a $`)]),
  );

  test('not on an address of calendars and contacts that is the same for everybody: the server tells people apart', () =>
    expect(
      adviseOn({ ...good, calendarsUrl: 'https://cloud.example/', contactsUrl: 'https://cloud.example/' }, {}),
    ).toEqual([]));

  test('on an address of mail that is the same for everybody', () =>
    expect(adviseOn({ ...good, mailUrl: 'imaps://all@imap.example' }, {})).toEqual([
      expect.stringMatching(/^MAIL_URL names no claim in braces/),
    ]));

  test('on a claim that is written like a variable of a shell', () =>
    expect(adviseOn({ ...good, filesUrl: 'https://cloud.example/\u0024{preferred_username}/' }, {})).toEqual([
      expect.stringContaining('Write a claim as {preferred_username}.'),
    ]));

  test('on what can be read, where some cannot', () => expect(adviseOn({}, { OIDC_ISSUR: 'x' })).toHaveLength(1));
});
