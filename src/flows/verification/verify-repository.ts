import { findLastCompleteStart } from '../../database/nights/snapshot-runs.ts';
import { saveVerified, type VerificationRow, type Verified } from '../../database/repositories/verifications.ts';
import { type Damage, type DamageState, damageKnownSince, damageStateOf } from '../../domain/damage.ts';
import { endOf, packsIn, shareDue } from '../../domain/verification.ts';
import { hourMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { PackId } from '../../store/format/ids.ts';
import { checkRepository } from '../../store/repository/check.ts';
import type { Finding } from '../../store/repository/finding.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { tidyKeys } from '../keys/foreign-keys.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { asFindings, findRemoved } from '../retention/find-removed.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { repairRepository } from '../store/repair-repository.ts';
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
const everyMs = 23.5 * hourMs;

interface Verifying {
  readonly claimed: VerificationRow;
  readonly signal: AbortSignal;
  /** From 0 to 1; for the sample. */
  readonly random: () => number;
}

/**
 * Verifies the repository of a claimed row, repairs what can be repaired, and records the damage that is left. Throws `repository/locked` also if a
 * run of the person begins meanwhile; the next verification continues where this one ended.
 */
export async function verifyRepository(resources: VerificationNeeds, verifying: Verifying): Promise<VerifiedFigures> {
  const { clock, database } = resources;
  const { claimed, signal } = verifying;
  const { userId } = claimed;
  const { findings, known, recoveryKeyFile, removed, share, ...read } = await inspect(resources, verifying);
  const { mayDelete, ...mended } = await mend(resources, { userId, findings, known, signal });
  const left = [...mended.left, ...asFindings(removed)];
  const at = clock.now();
  const damage = damageOf(left, { recoveryKeyFile, mayDelete });
  const found = damage === undefined ? null : await judge(resources, claimed, damage);
  await saveVerified(database, {
    ...{ userId, at, nextAt: new Date(at.getTime() + everyMs), ...read, found },
    cursor: endOf(share),
    damagedPacks: damagedIn(left),
  });
  return { ...read, damage: found === null ? undefined : figuresOf(found) };
}

/**
 * Reads the repository beside other readers and writers: its structure and key files, a random sample of files, which is restored and discarded,
 * the packs that were damaged before, and the part of the packs that is due.
 */
async function inspect(resources: VerificationNeeds, { claimed, signal, random }: Verifying) {
  const { clock, config, lockOwner } = resources;
  const { userId } = claimed;
  const { repository, store, recoveryKeyFile } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, { clock, ...lockOwner, signal });
  await refuseIfMoved(resources, { userId, store });
  await tidyKeys(resources, userId);
  const share = shareDue(claimed, config.verifyDays, clock.now());
  const sample = openSample(random);
  await using reading = followReading(resources, claimed);
  let filesRead = 0;
  const report = await checkRepository(repository, {
    signal: AbortSignal.any([lock.signal, reading.signal]),
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
  const { findings, packsRead, saved } = report;
  const damaged = findings.flatMap(({ snapshotId }) => snapshotId ?? []);
  const removed = await findRemoved(resources, { userId, repository, saved, damaged });
  const known = new Set(Array.from(repository.index.packs(), ({ id }) => id));
  return { share, filesRead, packsRead, findings, known, removed, recoveryKeyFile };
}

/**
 * The damage that is left after repairing the repository, as far as nobody else uses it and the store allows deleting: intact data of damaged packs
 * is saved, and the next night reads again what is lost of them. `known` are the packs that the index named before.
 */
async function mend(
  resources: VerificationNeeds,
  {
    userId,
    findings,
    known,
    signal,
  }: { userId: string; findings: readonly Finding[]; known: ReadonlySet<PackId>; signal: AbortSignal },
): Promise<{ readonly left: readonly Finding[]; readonly mayDelete: boolean }> {
  const keys = findings.filter(({ keyId }) => keyId !== undefined);
  if (!findings.some(isMendable)) return { left: findings, mayDelete: true };
  const log = resources.log.with({ userId });
  const damaged = new Set(damagedIn(findings));
  const choose = async (packs: readonly PackId[]) => packs.filter((id) => damaged.has(id) || !known.has(id));
  const repair = async () => {
    const { findings: left, ...figures } = await repairRepository(resources, {
      ...{ userId, by: 'schedule', readData: { choose }, signal },
    });
    log.warn('verify.mended', { ...figures, packsUnreadable: figures.packsUnreadable.length });
    return { left, isByHeaders: figures.packsIndexed > 0 };
  };
  try {
    const { left, isByHeaders } = await repair();
    // What packs hold is known by their headers now, but they may have the names of others: they are read once more, and then replaced.
    const last = isByHeaders ? (await repair()).left : left;
    return { left: [...keys, ...last.filter(({ keyId }) => keyId === undefined)], mayDelete: true };
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn('verify.not-mended', { error });
    return { left: findings, mayDelete: !isAppError(error, 'store/may-not-delete') };
  }
}

/** Packs and indexes can be mended; what is missing, snapshots and key files cannot. */
function isMendable({ kind, more, packId, severity, snapshotId }: Finding): boolean {
  const isIndex = kind === 'file-damaged' && snapshotId === undefined && more === undefined;
  return severity === 'error' && (packId !== undefined || isIndex);
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
  const readAgainAt = await findLastCompleteStart(database, userId);
  return { damage, foundAt, state: damageStateOf({ damage, foundAt, readAgainAt, accepted: new Set(accepted) }) };
}

function figuresOf({
  state,
  damage: { files, snapshots, removed = [], recoveryKey },
}: Found): VerifiedFigures['damage'] {
  return { state, files: files.length, snapshots: snapshots.length + removed.length, recoveryKey };
}

function damagedIn(findings: readonly Finding[]): PackId[] {
  return [...new Set(findings.flatMap(({ severity, packId }) => (severity === 'error' ? (packId ?? []) : [])))];
}
