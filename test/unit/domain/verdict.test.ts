import { expect, test } from 'vitest';
import { chooseGeneration } from '../../../src/domain/generation.ts';
import { meaningOf, type RefusalRule } from '../../../src/domain/refusal-meaning.ts';
import { type ExchangeAnswer, judgeAnswer, type Verdict, wrongSubject } from '../../../src/domain/verdict.ts';

const refused = (status: number, errorCode: string, retryAfterMs?: number): ExchangeAnswer => ({
  kind: 'refused',
  status,
  errorCode,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

const answered: ExchangeAnswer = {
  kind: 'answered',
  status: 200,
  tokens: { accessToken: 'a' },
  validate: async () => undefined,
};

const table: [string, ExchangeAnswer, Verdict][] = [
  ['a refused connection', { kind: 'unsent', errorCode: 'ECONNREFUSED' }, 'transient'],
  ['a time-out after sending', { kind: 'lost', errorCode: 'timeout' }, 'ambiguous'],
  ['too many requests', refused(429, 'http-429'), 'transient'],
  ['a request that did not arrive whole', refused(408, 'http-408'), 'transient'],
  ['a request on the wrong connection', refused(421, 'http-421'), 'transient'],
  ['a request that came too early', refused(425, 'http-425'), 'transient'],
  ['a token no longer accepted under one of these', refused(425, 'invalid_grant'), 'person'],
  ['maintenance with a time', refused(503, 'http-503', 1000), 'transient'],
  ['maintenance without one', refused(503, 'http-503'), 'ambiguous'],
  ['a server error', refused(500, 'unknown_error'), 'ambiguous'],
  ['a server error under another status', refused(400, 'server_error'), 'ambiguous'],
  ['a server error with status 200', refused(200, 'server_error'), 'ambiguous'],
  ['a wrong secret', refused(401, 'invalid_client'), 'operator'],
  ['a wrong secret under another status', refused(403, 'invalid_client'), 'operator'],
  ['a client not allowed', refused(400, 'unauthorized_client'), 'operator'],
  ['a forbidden endpoint', refused(403, 'http-403'), 'operator'],
  ['a realm that is gone', refused(404, 'http-404'), 'operator'],
  ['a page where a secret is wrong', refused(401, 'http-401'), 'operator'],
  ['a request not understood', refused(400, 'invalid_request'), 'unclear'],
  ['an empty body', refused(400, 'http-400'), 'unclear'],
  ['a word that nobody knows', refused(400, 'invalid_token'), 'unclear'],
  ['a word of access under 403', refused(403, 'access_denied'), 'unclear'],
  ['an unknown word under 401', refused(401, 'session_expired'), 'unclear'],
  ['a grant type that is off', refused(400, 'unsupported_grant_type'), 'operator'],
  ['a redirect', refused(302, 'http-302'), 'operator'],
  ['a missing scope', refused(400, 'invalid_scope'), 'person'],
  ['a missing role', refused(400, 'not_allowed'), 'person'],
  ['a token no longer accepted', refused(400, 'invalid_grant'), 'person'],
  ['that word under 401', refused(401, 'invalid_grant'), 'person'],
  ['that word under 403', refused(403, 'invalid_grant'), 'person'],
  ['that word under 404', refused(404, 'invalid_grant'), 'person'],
  ['that word with a server error', refused(500, 'invalid_grant'), 'ambiguous'],
  ['that word with status 200', refused(200, 'invalid_grant'), 'person'],
  ['a wrong secret with status 200', refused(200, 'invalid_client'), 'operator'],
  ['a word that nobody knows with status 200', refused(200, 'bad_refresh_token'), 'unclear'],
  ['no word at all with another status of success', refused(204, 'http-204'), 'ambiguous'],
  ['a sign-in that is wanted', refused(400, 'login_required'), 'person'],
  ['a stronger sign-in that is wanted', refused(400, 'unmet_authentication_requirements'), 'person'],
  ['a step that is wanted', refused(403, 'interaction_required'), 'person'],
  ['a consent that is wanted', refused(401, 'consent_required'), 'person'],
  ['an account to be chosen', refused(400, 'account_selection_required'), 'person'],
];

test.each(table)('%s is judged by status and error alone', (_, answer, verdict) => {
  expect(judgeAnswer(answer)).toBe(verdict);
});

test('the rules of a make go before the general ones', () => {
  const rules: RefusalRule[] = [
    { means: 'transient', statuses: [500, 500], errors: ['invalid_request'] },
    { means: 'ended', statuses: [400, 400], errors: ['invalid_request'], description: /^token expired\.$/ },
    { means: 'interaction', errors: ['invalid_grant'], subcodes: ['77'] },
  ];
  const judged = (status: number, errorCode: string, more: object = {}) =>
    judgeAnswer({ kind: 'refused', status, errorCode, ...more }, undefined, rules);
  expect(judged(500, 'invalid_request')).toBe('transient');
  expect(judged(400, 'invalid_request', { description: 'token expired.' })).toBe('person');
  expect(judged(400, 'invalid_request', { description: 'the token expired. perhaps' })).toBe('unclear');
  expect(meaningOf({ status: 400, errorCode: 'invalid_grant', subcodes: ['12', '77'] }, rules)).toBe('interaction');
  expect(meaningOf({ status: 400, errorCode: 'invalid_grant', subcodes: ['12'] }, rules)).toBe('ended');
});

test('an answer with tokens is judged by why they may not be used', () => {
  expect(judgeAnswer(answered)).toBe('ok');
  expect(judgeAnswer(answered, 'OAUTH_INVALID_RESPONSE')).toBe('unsound');
  expect(judgeAnswer(answered, wrongSubject)).toBe('operator');
});

const link = (number: number, parent: number | null, fence: number, seconds?: number) => ({
  number,
  parent,
  fence,
  issuedAt: seconds === undefined ? null : new Date(seconds * 1000),
});

test('of several tokens the one issued last is sent', () => {
  const current = link(2, 1, 5, 100);
  expect(chooseGeneration(current, []).number).toBe(2);
  expect(chooseGeneration(current, [link(3, 2, 6)]).number).toBe(3);
  expect(chooseGeneration(current, [link(3, 1, 4, 101)]).number).toBe(3);
  expect(chooseGeneration(current, [link(3, 1, 4, 99)]).number).toBe(2);
  expect(chooseGeneration(current, [link(3, 1, 4)]).number).toBe(2);
  expect(chooseGeneration(link(4, 2, 7, 200), [link(3, 1, 9, 300)]).number).toBe(4);
  expect(chooseGeneration(current, [link(3, 2, 6, 50), link(4, 2, 7, 60)]).number).toBe(4);
});
