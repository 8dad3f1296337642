import { describe, expect, test } from 'vitest';
import type { TokenAnswer } from '../../../src/domain/tokens.ts';
import type { ExchangeAnswer } from '../../../src/domain/verdict.ts';
import { finishRestoreAuthorization } from '../../../src/flows/restores/authorize-restore.ts';
import { silentLog } from '../../../src/log.ts';
import type { Access } from '../../../src/sources/source.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

type Needs = Parameters<typeof finishRestoreAuthorization>[0];
type Wanted = Omit<Parameters<Access>[0], 'signal'>;

const granted: TokenAnswer = { accessToken: 'first', refreshToken: 'r1', expiresIn: 300 };
const answered = (tokens: TokenAnswer, fault?: string): ExchangeAnswer => ({
  ...{ kind: 'answered', status: 200, tokens },
  validate: async () => fault,
});

/** A provider that grants this to alice, and answers exchanges so; what is sent and revoked there. */
function provider({
  tokens = granted,
  answers = [] as ExchangeAnswer[],
  boundKey = undefined as string | undefined,
} = {}) {
  const [sent, revoked]: [string[], string[]] = [[], []];
  const clock = manualClock('2026-05-04T12:00:00Z');
  const issuer = {
    clientId: 'app',
    finishAuthorization: async () => ({ issuer: 'https://id.example', subject: 'alice', tokens, boundKey }),
    exchange: async (token: string) => {
      sent.push(token);
      return answers.shift() ?? { kind: 'refused', status: 400, errorCode: 'invalid_grant' };
    },
    revoke: async (token: string) => void revoked.push(token),
    prove: async () => 'a proof',
  };
  const needs = { clock, config: {}, database: {}, issuer, log: silentLog } as unknown as Needs;
  const { signal } = new AbortController();
  const finish = async (subject = 'alice', purpose = 'restore') => {
    const { access, end } = await finishRestoreAuthorization(needs, {
      callback: new URL('http://localhost/callback'),
      transaction: { purpose, scope: 'openid', returnTo: '/', state: 's', nonce: 'n', verifier: 'v' },
      subject,
    });
    return { access: (wanted: Wanted) => access({ ...wanted, signal }), end };
  };
  return { clock, finish, sent, revoked };
}

describe('access to restore once', () => {
  test('is that of the person themself, for nothing else; of somebody else it is ended at once', async () => {
    const { finish, revoked } = provider();
    await expect(finish('alice', 'consent')).rejects.toMatchObject({ code: 'consent/invalid-callback' });
    expect(revoked).toEqual([]);
    await expect(finish('bob')).rejects.toMatchObject({ code: 'grant/wrong-subject' });
    expect(revoked).toEqual(['r1']);
  });

  test('is renewed where it is too short or was refused, and what lives last is ended', async () => {
    const answers = [
      answered({ accessToken: 'second', refreshToken: 'r2', expiresIn: 300 }),
      answered({ accessToken: 'third' }),
    ];
    const { clock, finish, sent, revoked } = provider({ answers });
    const { access, end } = await finish();
    expect(await access({ minimumSeconds: 300 })).toEqual({ token: 'first' });
    await clock.advance(1);
    expect(await access({ minimumSeconds: 300 })).toEqual({ token: 'second' });
    expect(await access({ minimumSeconds: 30, refused: 'first' })).toEqual({ token: 'second' });
    expect(await access({ minimumSeconds: 30, refused: 'second' })).toEqual({ token: 'third' });
    expect(sent).toEqual(['r1', 'r2']);
    await end();
    expect(revoked).toEqual(['r2']);
  });

  test('of an answer that does not say how long it lives is taken to live a minute', async () => {
    const { finish } = provider({ tokens: { accessToken: 'first' } });
    const { access } = await finish();
    expect(await access({ minimumSeconds: 60 })).toEqual({ token: 'first' });
    await expect(access({ minimumSeconds: 61 })).rejects.toMatchObject({ code: 'restore/permission-ended' });
  });

  test.each([
    ['no token came', { kind: 'refused', status: 400, errorCode: 'invalid_grant' } as const],
    ['the answer was lost', { kind: 'lost', errorCode: 'timeout' } as const],
    ['the answer does not hold', answered({ accessToken: 'forged', expiresIn: 300 }, 'OAUTH_INVALID_RESPONSE')],
  ])('has ended where it cannot be renewed: %s', async (_, answer) => {
    const { finish } = provider({ answers: [answer] });
    const { access } = await finish();
    await expect(access({ minimumSeconds: 30, refused: 'first' })).rejects.toMatchObject({
      code: 'restore/permission-ended',
    });
  });

  test('comes with proofs where it is bound to a key', async () => {
    const { access } = await provider({ tokens: { ...granted, bound: true }, boundKey: 'a key' }).finish();
    const { prove } = await access({ minimumSeconds: 30 });
    expect(await prove?.({ method: 'PUT', url: 'https://cloud.example/a' })).toBe('a proof');
    const unbound = await provider({ boundKey: 'a key' }).finish();
    expect(await unbound.access({ minimumSeconds: 30 })).toEqual({ token: 'first' });
  });
});
