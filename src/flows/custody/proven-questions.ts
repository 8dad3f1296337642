import { isProven, type Question, saveProven } from '../../database/custody/proven-questions.ts';
import type { FailedAnswer } from '../../domain/verdict.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'issuer' | 'log'>;

interface Client {
  issuer: string;
  clientId: string;
}

/**
 * Asks the two questions that custody asks in trouble (whether the provider believes the client, and whether a token is active) while the answer is
 * certain to be yes. Only a provider that says yes now is believed when it says no later. They are asked until each was answered so once. Never
 * throws.
 */
export async function proveQuestions(
  { clock, database, issuer: provider, log }: Needs,
  { issuer, clientId }: Client,
  livingToken: string,
): Promise<void> {
  const prove = async (question: Question, ask: () => Promise<boolean>) => {
    if (await isProven(database, { issuer, clientId, question })) return;
    if (await ask()) await saveProven(database, { issuer, clientId, question, provenAt: clock.now() });
  };
  try {
    await prove('client', async () => (await provider.askAboutClient()) === 'believed');
    // Of other makes it is known whether introspection tells the truth.
    if ((await provider.profile()).introspection !== undefined) return;
    await prove('refresh_token', async () => (await provider.introspect(livingToken))?.active === true);
  } catch (error) {
    log.warn('provider.questions.failed', { error });
  }
}

/** The provider's refusal of Nightkeep itself, found without using up a token; undefined if Nightkeep is believed, or it cannot be told. */
export async function findClientRefusal(
  { database, issuer: provider }: Pick<Needs, 'database' | 'issuer'>,
  { issuer, clientId }: Client,
): Promise<FailedAnswer | undefined> {
  if (!(await isProven(database, { issuer, clientId, question: 'client' }))) return undefined;
  const said = await provider.askAboutClient();
  return said === 'believed' ? undefined : said;
}
