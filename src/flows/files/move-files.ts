import { countPlansByAddress, listPlansAt, saveMovedFiles } from '../../database/nights/files-moves.ts';
import type { PlanWithPerson } from '../../database/nights/plan-rows.ts';
import { readSources } from '../../database/nights/plan-rows.ts';
import { readPerson } from '../../database/people/users.ts';
import { noticeOfMovedFiles } from '../../domain/notices.ts';
import { type NamedSources, namedSources, nounOf, type SourceName, settingOf } from '../../domain/source-names.ts';
import { urlOfPerson } from '../../domain/url-template.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { personSealing, planSealing } from '../../vault/row-seals.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'keyring'>;

export interface FilesMove {
  /** The address as plans name it, and as FILES_URL, CALENDARS_URL, CONTACTS_URL or MAIL_URL is now, with claims in braces. */
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** Who states it, for events and the audit. */
  readonly by: string;
}

/** What became of one person's plan. */
export interface MovedPlan {
  readonly username: string | null;
  readonly subject: string;
  /** The person's own addresses, claims filled in; absent where that cannot be done. */
  readonly from?: string;
  readonly to?: string;
  /** Why it was not moved. */
  readonly problem?: string;
}

const batch = 500;
const beforeAll = '00000000-0000-0000-0000-000000000000';

/**
 * Lets everybody's files, calendars, contacts or mail be fetched from another address, on the operator's word that the same are there: nothing can prove that. People
 * keep plan, snapshots and record, and each is told, on the page and by mail. Yields a batch at a time; whoever cannot be moved is named and
 * keeps the address that they agreed to. Throws `usage/invalid` or `request/not-found` before anything is changed.
 */
export async function* moveFiles(resources: Needs, move: FilesMove): AsyncGenerator<MovedPlan[]> {
  const { database } = resources;
  await requireAddresses(resources, move);
  for (let after = beforeAll; ; ) {
    const plans = await listPlansAt(database, { address: move.from, after, limit: batch });
    const moved: MovedPlan[] = [];
    for (const plan of plans) {
      const names = namesAt(plan, move, resources.config);
      if (names.length > 0) moved.push(await moveOne(resources, plan, { ...move, names }));
    }
    yield moved;
    after = plans.at(-1)?.id ?? after;
    if (plans.length < batch) return;
  }
}

/** What the plan has at the old address of that which the settings have at the new one. */
function namesAt({ sources }: PlanWithPerson, { from, to }: FilesMove, named: NamedSources): SourceName[] {
  const there = readSources(sources).filter(({ url }) => url === from);
  return namesMoved(named, to).filter((name) => there.some((source) => source.name === name));
}

function namesMoved(named: NamedSources, to: string): SourceName[] {
  return namedSources(named).flatMap(({ name, url }) => (url === to ? [name] : []));
}

async function moveOne(
  { clock, config, database, keyring }: Needs,
  plan: PlanWithPerson,
  { names, from, to, dryRun, by }: FilesMove & { names: readonly SourceName[] },
): Promise<MovedPlan> {
  const { username, subject } = plan.user;
  const sealing = planSealing(keyring);
  try {
    personSealing(keyring).require(plan.user);
    sealing.require(plan);
    const person = readPerson(plan.user);
    const addresses = { from: urlOfPerson(from, person), to: urlOfPerson(to, person) };
    if (!dryRun) {
      const at = clock.now();
      const notice = { ...noticeOfMovedFiles({ userId: plan.userId, names, from, to, at }), userId: plan.userId };
      const isMailed = config.mail !== undefined && plan.user.email !== null;
      const telling = isMailed ? [{ ...notice, channel: 'mail-person' as const }] : [];
      await saveMovedFiles(database, { planId: plan.id, names, from, to, sealing, at, by, telling });
    }
    return { username, subject, ...addresses };
  } catch (error) {
    if (!isAppError(error, 'seal/broken') && !isAppError(error, 'source/missing-claim')) throw error;
    return { username, subject, problem: error.message };
  }
}

async function requireAddresses({ config, database }: Needs, { from, to }: FilesMove): Promise<void> {
  const names = namesMoved(config, to);
  const [first] = names.map((name) => nounOf[name]);
  if (first === undefined) {
    const settings = namedSources(config).map(({ name, url }) => `${settingOf[name]} is ${url}`);
    throw new AppError(
      'usage/invalid',
      `${settings.join(', ')}, not ${to}. Set it to the new address first, for every process.`,
    );
  }
  if (from === to)
    throw new AppError('usage/invalid', 'OLD and NEW are the same address, so there is nothing to move.');
  const inUse = await countPlansByAddress(database, { living: false });
  const known = inUse.filter(({ name }) => names.some((one) => one === name)).map(({ address }) => address);
  if (known.includes(from)) return;
  const others = [...new Set(known.filter((address) => address !== to))];
  throw new AppError(
    'request/not-found',
    `Nobody's ${first} are at ${from}. ${others.length === 0 ? `Everybody's are at ${to}.` : `There are ${first} at: ${others.join(', ')}.`}`,
  );
}
