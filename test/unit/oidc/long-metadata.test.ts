import { expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { tidyMetadata } from '../../../src/oidc/tidy-answer.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

const word = 'x'.repeat(100);
const long = {
  'many short texts': { x: Array.from({ length: 40_000 }, () => '') },
  'many members in one': { x: Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`k${index}`, word])) },
  'many members': Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`k${index}`, word])),
  'lists in lists': {
    x: Array.from({ length: 200 }, () => JSON.parse(`${'['.repeat(200)}"${word}"${']'.repeat(200)}`) as unknown),
  },
  'one text': { x: 'x'.repeat(500_000) },
};

it.each(Object.entries(long))(
  'a discovery document of 100 KB and more is known by what is used of it: %s',
  async (_, more) => {
    await using provider = await startOpenIdIssuer();
    Object.assign(provider.metadata, { scopes_supported: ['openid', 'offline_access'] }, more);
    const client = { clientId: 'me', authentication: 'client_secret_basic', secrets: ['s'] } as const;
    const issuer = openIssuer({
      provider: { issuer: new URL(provider.url), ...client },
      publicUrl: new URL('http://localhost'),
      clock: manualClock('2026-05-04T12:00:00Z'),
      log: silentLog,
    });
    const { url } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    expect(url.href).toContain(`${provider.url}/authorize?`);
  },
);

it('what is copied of it is short, and a usual one is left as it is', () => {
  for (const more of Object.values(long)) {
    const known = { issuer: 'https://id.example', scopes_supported: ['openid'], token_endpoint: 7 };
    const tidied = tidyMetadata(JSON.stringify({ ...known, none: null, empty: '', ...more }));
    expect(JSON.parse(tidied)).toMatchObject(known);
    expect(tidied).not.toMatch(/none|empty/);
    expect(tidied.length).toBeLessThan(64 * 1024);
  }
  const usual = '{ "issuer": "https://id.example", "aliases": { "a": { "b": 1 } } }';
  expect(tidyMetadata(usual)).toBe(usual);
  for (const odd of [`[${' '.repeat(70_000)}]`, `{${' '.repeat(70_000)}`]) expect(tidyMetadata(odd)).toBe(odd);
});
