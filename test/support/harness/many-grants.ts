import { randomUUID } from 'node:crypto';
import { dayMs } from '../../../src/durations.ts';
import { seal } from '../../../src/vault/seal.ts';
import type { Custody } from './custody.ts';

/**
 * So many living grants of the client, each with a token that reads "token of ID", as if all had consented just now.
 * Saved in bulk: answers their ids.
 */
export async function saveGrants(
  { database, keyring, config, issuer, clock }: Custody,
  count: number,
): Promise<string[]> {
  const at = clock.now();
  const ids = Array.from({ length: count }, () => ({ userId: randomUUID(), grantId: randomUUID() }));
  const who = (userId: string) => ({ issuer: config.provider.issuer.href.replace(/\/$/, ''), subject: userId });
  const times = { createdAt: at, lastExchangedAt: at };
  const deadlines = {
    idleDeadline: new Date(at.getTime() + 30 * dayMs),
    nextExchangeAt: new Date(at.getTime() + 7.5 * dayMs),
  };
  await database.user.createMany({ data: ids.map(({ userId }) => ({ id: userId, ...who(userId), createdAt: at })) });
  await database.grant.createMany({
    data: ids.map(({ userId, grantId }) => ({
      id: grantId,
      userId,
      ...who(userId),
      clientId: issuer.clientId,
      scope: 'openid offline_access',
      ...times,
      ...deadlines,
    })),
  });
  await database.tokenGeneration.createMany({
    data: ids.map(({ userId, grantId }) => ({
      grantId,
      number: 1,
      state: 'current' as const,
      ...seal(keyring, { purpose: 'offline token', owner: `${userId}/${grantId}/1` }, `token of ${grantId}`),
      fingerprint: Buffer.from(grantId),
      fence: 0,
      receivedAt: at,
    })),
  });
  return ids.map(({ grantId }) => grantId);
}
