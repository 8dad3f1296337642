import fc from 'fast-check';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { findPending, forgetPending, rememberPending } from '../../../src/web/cookies.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { changed, changes, property } from '../property.ts';

const keyring = parseKeyring(`k1:${Buffer.alloc(32, 7).toString('base64url')}`);
const needs = { clock: manualClock('2026-05-04T12:00:00Z'), keyring };
const state = 'state-of-this-browser';
const pending = {
  leg: 'sign-in',
  transaction: { purpose: 'sign-in', state, nonce: 'n', verifier: 'v', scope: 'openid', returnTo: '/' },
} as const;

const app = new Hono();
app.get('/remember', (c) => {
  rememberPending(c, needs, pending);
  return c.text('');
});
app.get('/take', (c) => {
  const found = findPending(c, needs, state);
  forgetPending(c, state);
  return c.json(found ?? null);
});

const [set = ''] = (await app.request('https://nightkeep.example/remember')).headers.getSetCookie();
const cookie = set.slice(0, set.indexOf(';'));
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '~');

export const cookies = [
  property(
    'a cookie is what was put into it, or nothing',
    fc.tuple(
      fc.oneof(fc.constant(cookie), fc.string(), fc.constant(`${cookie}; ${cookie}x`), fc.constant('a=%E0%A4%A')),
      changes('%', '%zz', '=', ';', '"', ',', 'A', '__Host-', '__proto__=1; '),
      fc.constantFrom('/take', '/remember'),
    ),
    async ([text, all, path]) => {
      const sent = printable(changed(text, all));
      const answer = await app.request(`https://nightkeep.example${path}`, { headers: { cookie: sent } });
      expect({ sent, status: answer.status }).toEqual({ sent, status: 200 });
      if (path === '/remember') return;
      const taken = await answer.json();
      if (taken !== null) expect(taken).toMatchObject(pending);
      if (sent === cookie) expect(taken).not.toBeNull();
    },
  ),
];
