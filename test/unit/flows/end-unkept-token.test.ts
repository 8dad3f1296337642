import { expect, test } from 'vitest';
import type { Database } from '../../../src/database/client.ts';
import { AppError } from '../../../src/errors.ts';
import { endUnkeptToken, type UnkeptNeeds } from '../../../src/flows/consent/end-unkept-token.ts';
import { silentLog } from '../../../src/log.ts';

/** Nightkeep where tokens of these sessions are kept, and what it revokes. */
function keeping(sessions: readonly (string | null)[], revoke?: () => Promise<void>) {
  const revoked: string[] = [];
  const rows = sessions.map((sid) => ({ sid, grant: { sid: null } }));
  const resources = {
    database: { tokenGeneration: { findMany: async () => rows } } as unknown as Database,
    issuer: { clientId: 'app', revoke: revoke ?? (async (token: string) => void revoked.push(token)) },
    log: silentLog,
  } as UnkeptNeeds;
  return { resources, revoked };
}

const told = (tokenType: string | undefined, sid: string | undefined) => ({
  ...{ issuer: 'https://id.example', subject: 'alice' },
  tokens: { accessToken: 'a', refreshToken: 'r', tokenType, sid },
});

test.each([
  ['Offline', 'new', [], 'is ended'],
  ['Offline', 'new', ['kept'], 'is ended'],
  ['Offline', 'kept', ['other', 'kept'], 'stays'],
  ['Offline', 'new', [null], 'stays'],
  ['Offline', undefined, ['kept'], 'stays'],
  ['Refresh', 'new', [], 'stays'],
  [undefined, 'kept', ['kept'], 'is ended'],
])('a token of type %s and session %s, beside kept ones of %j, %s', async (type, sid, sessions, what) => {
  const { resources, revoked } = keeping(sessions);
  await endUnkeptToken(resources, told(type, sid));
  expect(revoked).toEqual(what === 'is ended' ? ['r'] : []);
});

test('a provider that cannot be told stops nobody', async () => {
  const { resources } = keeping([], () => Promise.reject(new AppError('provider/unavailable', 'Away.')));
  await expect(endUnkeptToken(resources, told('Offline', 'new'))).resolves.toBeUndefined();
});
