import type { Database } from '../client.ts';
import type { Plan, User } from '../generated/client.ts';

/** A plan and its person, as the database has them: see src/flows/nights/sources-of.ts for what is believed of it. */
export type PlanWithPerson = Plan & { user: User };

/** The plan of a person's newest consent, or null. */
export async function findPlanWithPerson(database: Database, userId: string): Promise<PlanWithPerson | null> {
  return database.plan.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' }, include: { user: true } });
}
