import { randomUUID } from 'node:crypto';
import type { Prisma } from '../../../src/database/generated/client.ts';
import type { Pages, SignedIn } from './pages.ts';

/** What nobody but its owner may read: the names of files of every person of these tests. */
export const secretName = 'Divorce-papers_of-alice.pdf';

/** A run of the person, whose problems and message name a file of theirs; the id. */
export async function addNight(
  { resources: { clock, database } }: Pages,
  guest: SignedIn,
  run: Partial<Omit<Prisma.RunUncheckedCreateInput, 'planId'>> = {},
): Promise<string> {
  const plan = await database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
  const id = randomUUID();
  const at = clock.now();
  const path = `files/${secretName}`;
  const ended = run.state !== 'queued' && run.state !== 'running';
  await database.run.create({
    data: {
      id,
      planId: plan.id,
      host: 'cloud.example',
      night: at.toISOString().slice(0, 10),
      trigger: 'schedule',
      state: 'partial',
      dueAt: at,
      queuedAt: at,
      ...(run.state !== 'queued' && { startedAt: at }),
      ...(ended && { finishedAt: new Date(at.getTime() + 60_000) }),
      counts: { requests: 10, ms: 2_000, bytesRead: 5_000 },
      problems: [{ path, code: 'source/forbidden', message: `${path} is not to be read.`, kept: true }],
      problemCount: 1,
      message: `The server did not give ${path}.`,
      ...run,
    },
  });
  return id;
}

/** Somebody with a consent and that user name. */
export async function consentedAs(pages: Pages, name: string): Promise<SignedIn> {
  const guest = await pages.newPerson({ claims: { preferred_username: name } });
  await guest.post('/consent');
  await guest.comeBack();
  // The run that is asked for with the consent is none of these tests'.
  await pages.resources.database.run.deleteMany({ where: { plan: { userId: await guest.userId() } } });
  return guest;
}
