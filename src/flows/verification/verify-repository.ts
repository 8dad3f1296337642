import { findProtectionFacts } from '../../database/protection.ts';
import { saveVerified, type VerificationRow, type Verified } from '../../database/verifications.ts';
import { type Damage, type DamageState, damageKnownSince, damageStateOf } from '../../domain/damage.ts';
import { endOf, packsIn, shareDue } from '../../domain/verification.ts';
import type { Resources } from '../../resources.ts';
import type { PackId } from '../../store/format/ids.ts';
import { checkRepository } from '../../store/repository/check.ts';
import type { Finding } from '../../store/repository/finding.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { damageOf } from './damage-of.ts';
import { followReading } from './follow-reading.ts';
import { drill, openSample } from './sample.ts';

export type VerificationNeeds = Pick<
  Resources,
  'clock' | 'config' | 'database' | 'keyring' | 'lockOwner' | 'log' | 'store'
>;

/** What a verification did; nothing of anybody's files. */
export interface VerifiedFigures {
  readonly packsRead: number;
  readonly filesRead: number;
  /** How much is wrong, in figures. */
  readonly damage:
    | { readonly state: DamageState; readonly files: number; readonly snapshots: number; readonly recoveryKey: boolean }
    | undefined;
}

/** A little less than a day, so that a verification that waits for a run does not come later every day. */
const everyMs = 23.5 * 3_600_000;

/**
 * Verifies the repository of a claimed row beside other readers and writers: structure and key files, a random sample of files, which
 * is restored to nothing, and of the packs those that were damaged before and the part that is due. How far it got is kept, so that the
 * next one goes on there. Throws `repository/locked` also where a run of the person begins meanwhile.
 */
export async function verifyRepository(
  resources: VerificationNeeds,
  { claimed, signal, random }: { claimed: VerificationRow; signal: AbortSignal; random: () => number },
): Promise<VerifiedFigures> {
  const { clock, config, database, lockOwner } = resources;
  const { userId } = claimed;
  const { repository, store, recoveryKeyFile } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, { clock, ...lockOwner, signal });
  await refuseIfMoved(resources, { userId, store });
  const share = shareDue(claimed, config.verifyDays, clock.now());
  const sample = openSample(random);
  await using reading = followReading(resources, claimed);
  let filesRead = 0;
  const report = await checkRepository(repository, {
    signal: AbortSignal.any([signal, lock.signal, reading.signal]),
    keys: recoveryKeyFile === null ? [] : [recoveryKeyFile],
    onFile: sample.offer,
    onPack: reading.passed,
    readData: {
      choose: async (packs) => {
        const drilled = await drill(repository, sample.drawn());
        filesRead = drilled.files;
        const doubted = new Set([...drilled.packs, ...packs.filter((id) => claimed.damagedPacks.includes(id))]);
        return [...doubted, ...reading.begin(packsIn(packs, share).filter((id) => !doubted.has(id)))];
      },
    },
  });
  const { packsRead, findings } = report;
  const at = clock.now();
  const damage = damageOf(findings, recoveryKeyFile);
  const found = damage === undefined ? null : await judge(resources, claimed, damage);
  await saveVerified(database, {
    ...{ userId, at, nextAt: new Date(at.getTime() + everyMs), packsRead, filesRead, found },
    cursor: endOf(share),
    damagedPacks: damagedIn(findings),
  });
  reading.end();
  return { packsRead, filesRead, damage: found === null ? undefined : figuresOf(found) };
}

type Found = NonNullable<Verified['found']>;

/** What is to be done about it, by what was known before and whether a night brought everything since. */
async function judge(
  { clock, database }: VerificationNeeds,
  { userId, damage: before, foundAt: knownAt, accepted }: VerificationRow,
  damage: Damage,
): Promise<Found> {
  const known = before === null || knownAt === null ? null : { marks: before.marks, foundAt: knownAt };
  const foundAt = damageKnownSince(damage, known, clock.now());
  const { complete } = await findProtectionFacts(database, userId);
  const completeAt = complete?.endedAt ?? null;
  return { damage, foundAt, state: damageStateOf({ damage, foundAt, completeAt, accepted: new Set(accepted) }) };
}

function figuresOf({ state, damage: { files, snapshots, recoveryKey } }: Found): VerifiedFigures['damage'] {
  return { state, files: files.length, snapshots: snapshots.length, recoveryKey };
}

function damagedIn(findings: readonly Finding[]): PackId[] {
  return [...new Set(findings.flatMap(({ severity, packId }) => (severity === 'error' ? (packId ?? []) : [])))];
}
