import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { AppError } from '../../../src/errors.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { openProviderHosts } from '../../../src/oidc/provider-hosts.ts';
import { openTrialConsent } from '../../../src/oidc/trial-consent.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const hosts = openProviderHosts(new URL('http://127.0.0.1/'));

const redirectUri = 'https://backup.example/callback';
const request = { purpose: 'consent', scope: 'openid offline_access', returnTo: '/' } as const;

interface Answer {
  status: number;
  location?: string;
}

/** What is found of a provider that answers a browser so, and what the operator's log has of it. */
async function trialAt(answer: Answer) {
  const server = await listenOnLoopback(0);
  server.serve(({ headers }, response) => {
    expect(headers.accept).toBe('text/html');
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location }).end();
  });
  const logged: string[] = [];
  const log: Log = { ...silentLog, error: (event) => void logged.push(event) };
  const begin = async () => ({ url: new URL(`${server.origin}/authorize`) });
  try {
    const clock = manualClock(new Date().toISOString());
    const refusal = await openTrialConsent({ clock, log, redirectUri, hosts, begin })(request);
    return { refusal, logged };
  } finally {
    await server.down();
  }
}
const found = async (answer: Answer) => {
  const { refusal, logged } = await trialAt(answer);
  return [refusal?.code, logged];
};
const sentBack = (error: string) => ({ status: 302, location: `${redirectUri}?error=${error}&state=s` });

test.each([
  ['the client may not ask for it', sentBack('invalid_scope'), 'consent/not-offline'],
  ['the client may not ask in this way', sentBack('unauthorized_client'), 'provider/refused-client'],
  ['the provider has trouble', sentBack('temporarily_unavailable'), 'provider/unavailable'],
])('a browser that is sent back at once shows that %s, and the log has it', async (_, answer, code) => {
  expect(await found(answer)).toEqual([code, ['consent.cannot-work']]);
});

test.each([
  [
    403,
    'provider/refused-client',
    /error page \(403\) where it should ask you\. The operator must check the client id/,
  ],
  [400, 'provider/refused-client', /error page \(400\)/],
  [404, 'provider/refused-client', /error page \(404\)/],
  [500, 'provider/unavailable', /a problem of its own/],
  [503, 'provider/unavailable', /a problem of its own/],
])(
  'an error page of the provider, %i, in place of a question is one, without a word of OAuth',
  async (...[status, code, words]) => {
    const { refusal, logged } = await trialAt({ status });
    expect([refusal?.code, logged]).toEqual([code, ['consent.cannot-work']]);
    expect(refusal?.message).toMatch(words);
  },
);

test.each([
  ['a page to sign in', { status: 200 }],
  ['another page of the provider', { status: 302, location: '/login?error=invalid_scope' }],
  ['another site', { status: 302, location: 'https://elsewhere.example/callback?error=invalid_scope' }],
  ['a code at once', { status: 302, location: `${redirectUri}?code=c&state=s` }],
  ['that nobody is signed in', sentBack('login_required')],
  ['that nobody has agreed yet', sentBack('consent_required')],
  ['a browser that may sign in by its machine (SPNEGO)', { status: 401 }],
  ['a provider that is asked too often', { status: 429 }],
  ['a redirect that leads nowhere', { status: 302 }],
])('%s is no refusal', async (_, answer) => {
  expect(await found(answer)).toEqual([undefined, []]);
});

test('is asked once a minute for all who read the page, and anew after that', async () => {
  const clock = manualClock('2026-03-01T00:00:00Z');
  let asked = 0;
  const begin = () => {
    asked += 1;
    return Promise.reject(new AppError('provider/unavailable', 'It does not answer.'));
  };
  const trial = openTrialConsent({ clock, log: silentLog, redirectUri, hosts, begin });
  const codes = await Promise.all([trial(request), trial(request)]);
  expect([asked, codes.map((refusal) => refusal?.code)]).toEqual([1, ['provider/unavailable', 'provider/unavailable']]);
  await clock.advance(61_000);
  await trial(request);
  expect(asked).toBe(2);
});
