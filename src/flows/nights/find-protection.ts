import {
  findProtectionFacts,
  listProtectionFactsAfter,
  listProtectionFactsByName,
  listProtectionFactsOf,
  type PersonFacts,
} from '../../database/notices/protection.ts';
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

/** The same of everybody whose consent was not withdrawn, a batch at a time, however many there are. */
export function eachProtection(needs: Needs): AsyncGenerator<readonly JudgedPerson[]> {
  return inBatches(needs, (last) =>
    listProtectionFactsAfter(needs.database, { after: last?.userId ?? beforeAll, limit: batch }),
  );
}

/** The same in the order of the names that people go by. */
export function eachProtectionByName(needs: Needs): AsyncGenerator<readonly JudgedPerson[]> {
  return inBatches(needs, (after) => listProtectionFactsByName(needs.database, { after, limit: batch }));
}

async function* inBatches(
  { clock }: Needs,
  next: (last: PersonFacts | null) => Promise<PersonFacts[]>,
): AsyncGenerator<readonly JudgedPerson[]> {
  const at = clock.now();
  for (let last: PersonFacts | null = null; ; ) {
    const people: PersonFacts[] = await next(last);
    yield people.map((person) => judged(person, at));
    if (people.length < batch) return;
    last = people.at(-1) ?? null;
  }
}

function judged({ facts, ...person }: PersonFacts, at: Date): JudgedPerson {
  return { ...person, maxDeadline: facts.consent?.maxDeadline ?? null, protection: judgeProtection(facts, at) };
}
