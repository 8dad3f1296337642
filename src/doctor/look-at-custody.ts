import { join } from 'node:path';
import { readCanaries } from '../database/canaries.ts';
import { listCircuits } from '../database/circuits.ts';
import {
  countGrants,
  inspectDeadlines,
  inspectEndings,
  inspectRotation,
  inspectWindows,
  listLatestTokens,
} from '../database/inspect-custody.ts';
import { inspectRuns } from '../database/inspect-runs.ts';
import { isAppError } from '../errors.ts';
import { openToken } from '../flows/custody/offline-token.ts';
import { listKeys } from '../flows/keys/retire-key.ts';
import { decodeClaims } from '../oidc/token-answer.ts';
import type { Keyring } from '../vault/keyring.ts';
import { purposes } from '../vault/purposes.ts';
import { unseal } from '../vault/seal.ts';
import { openSpool } from '../vault/spool.ts';
import { type Finding, wrong } from './finding.ts';
import { judgeCircuits, judgeDeadlines, judgeEndings, judgeGrants } from './grants.ts';
import { judgeKeyring, judgeKeyringAlone, judgeLostKeyring } from './keyring.ts';
import type { Patient } from './patient.ts';
import { judgeRotation, judgeTokens, readTokenFacts } from './rotation.ts';
import { judgeRuns } from './runs.ts';
import { judgeIdle, judgeMax } from './windows.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const latestTokens = 20;
/** What past exchanges are asked over. */
const backMs = 30 * day;

/** Whether the keyring opens what this database was sealed with; its own fault where the database cannot be asked. */
export async function lookAtKeyring(patient: Patient): Promise<Finding> {
  const kept = patient.option('keyring') !== undefined;
  const database = await patient.records().catch(() => undefined);
  try {
    const keyring = kept ? patient.keyring() : undefined;
    if (database === undefined) return judgeKeyringAlone(kept);
    const canaries = await readCanaries(database);
    if (keyring === undefined) return canaries.length > 0 ? judgeLostKeyring() : judgeKeyringAlone(false);
    const broken = canaries.filter((canary) => !opens(keyring, canary)).map(({ keyId }) => keyId);
    const spool = openSpool(join(patient.setting('dataDir'), 'spool'));
    const uses = await listKeys({ database, keyring, spool });
    return judgeKeyring({ broken, uses, fresh: canaries.length === 0 }, patient.clock.now());
  } catch (error) {
    if (!isAppError(error, 'keyring/invalid')) throw error;
    return wrong('keyring', error.message, 'Correct KEYRING, and restart every process of Nightkeep.');
  }
}

function opens(keyring: Keyring, { keyId, sealed }: { keyId: string; sealed: Uint8Array }): boolean {
  try {
    return unseal(keyring, purposes.canary(keyId), sealed).length > 0;
  } catch (error) {
    if (isAppError(error)) return false;
    throw error;
  }
}

/** The latest tokens are opened and read here, and sent nowhere; what past exchanges came to is on record. */
export async function lookAtTokens(patient: Patient): Promise<Finding[]> {
  const [database, keyring] = [await patient.records(), patient.keyring()];
  const rows = await listLatestTokens(database, latestTokens);
  const claims = rows.flatMap((row) => {
    try {
      return [decodeClaims(openToken(keyring, row, row))];
    } catch (error) {
      if (isAppError(error)) return [];
      throw error;
    }
  });
  const tokens = readTokenFacts(patient.setting('issuer'), claims, rows.length - claims.length);
  const since = new Date(patient.clock.now().getTime() - backMs);
  return [judgeTokens(tokens), judgeRotation(await inspectRotation(database, { since }), tokens)];
}

export async function lookAtWindows(patient: Patient): Promise<Finding[]> {
  const windows = { offlineIdleMs: patient.setting('offlineIdleMs'), offlineMaxMs: patient.option('offlineMaxMs') };
  const since = new Date(patient.clock.now().getTime() - 2 * Math.max(windows.offlineIdleMs, backMs));
  const facts = await inspectWindows(await patient.records(), { since });
  return [judgeIdle(windows, facts), judgeMax(windows, facts)];
}

export async function lookAtGrants(patient: Patient): Promise<Finding[]> {
  const database = await patient.records();
  const before = new Date(patient.clock.now().getTime() - hour);
  return [
    judgeGrants(await countGrants(database)),
    judgeCircuits(await listCircuits(database)),
    judgeEndings(await inspectEndings(database, { before })),
  ];
}

export async function lookAtDeadlines(patient: Patient): Promise<Finding> {
  const at = patient.clock.now();
  const limits = { overdueMs: hour, nearMaxMs: 14 * day };
  const facts = await inspectDeadlines(await patient.records(), {
    at,
    idleMs: patient.setting('offlineIdleMs'),
    overdueBefore: new Date(at.getTime() - limits.overdueMs),
    maxBefore: new Date(at.getTime() + limits.nearMaxMs),
  });
  return judgeDeadlines(facts, limits, at);
}

export async function lookAtRuns(patient: Patient): Promise<Finding> {
  const at = patient.clock.now();
  const ago = (ms: number) => new Date(at.getTime() - ms);
  const facts = await inspectRuns(await patient.records(), {
    at,
    lapsedBefore: ago(15 * minute),
    waitingBefore: ago(15 * minute),
    nightBefore: ago(10 * minute),
    endedSince: ago(day),
  });
  return judgeRuns(facts);
}
