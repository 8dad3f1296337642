import {
  findProtectionFacts,
  listProtectionFacts,
  listProtectionFactsAfter,
  listProtectionFactsOf,
  type PersonFacts,
} from '../../database/protection.ts';
import { judgeProtection, type Protection } from '../../domain/protection.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** The verdict on one person's data, which pages and commands alike tell. */
export async function findProtection({ clock, database }: Needs, userId: string): Promise<Protection> {
  return judgeProtection(await findProtectionFacts(database, userId), clock.now());
}

/** Somebody, and the verdict on their data. */
export interface JudgedPerson extends Omit<PersonFacts, 'facts'> {
  /** When their consent ends whatever is done. */
  maxDeadline: Date | null;
  protection: Protection;
}

/** The same of everybody whose consent was not withdrawn, by the names that people go by. */
export async function listProtections({ clock, database }: Needs): Promise<JudgedPerson[]> {
  const at = clock.now();
  return (await listProtectionFacts(database)).map((person) => judged(person, at));
}

/** The same of these people, in no order. */
export async function listProtectionsOf(
  { clock, database }: Needs,
  userIds: readonly string[],
): Promise<JudgedPerson[]> {
  const at = clock.now();
  const found: JudgedPerson[] = [];
  for (let start = 0; start < userIds.length; start += batch) {
    const people = await listProtectionFactsOf(database, userIds.slice(start, start + batch));
    found.push(...people.map((person) => judged(person, at)));
  }
  return found;
}

const batch = 1_000;
const beforeAll = '00000000-0000-0000-0000-000000000000';

/** The same a batch at a time, however many there are. */
export async function* eachProtection({ clock, database }: Needs): AsyncGenerator<readonly JudgedPerson[]> {
  const at = clock.now();
  for (let after = beforeAll; ; ) {
    const people = await listProtectionFactsAfter(database, { after, limit: batch });
    yield people.map((person) => judged(person, at));
    const last = people.at(-1);
    if (last === undefined || people.length < batch) return;
    after = last.userId;
  }
}

function judged({ facts, ...person }: PersonFacts, at: Date): JudgedPerson {
  return { ...person, maxDeadline: facts.consent?.maxDeadline ?? null, protection: judgeProtection(facts, at) };
}
