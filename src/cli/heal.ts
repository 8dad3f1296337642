import { countWords } from '../count-words.ts';
import { saveAudit } from '../database/audit.ts';
import { writeCards } from '../flows/adoption/keep-card.ts';
import { heal as healAll } from '../flows/heal.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';

/** Mends what a crash or a lost queue left behind; workers do it by themselves every ten minutes. */
export const heal: Command = {
  usage: '[--json]',
  summary: 'refill the queue and return lapsed work',
  options: json,
  run: async (options, output) => {
    await using resources = await openFromEnvironment();
    const healed = { ...(await healAll(resources)), cards: await writeCards(resources) };
    const at = resources.clock.now();
    await saveAudit(resources.database, { at, by: commandActor(), act: 'service-healed' });
    const { replayed, silent, revoked, returned, failed, queued, cards } = healed;
    const words = [
      `Tokens: ${replayed} saved from this disk, ${countWords(silent, 'exchange')} ended without an answer, ${revoked} withdrawn at the provider.`,
      `Runs: ${returned} returned to the queue, ${failed} failed for good, ${countWords(queued, 'waits', 'wait')} in the queue.`,
      `Store: ${countWords(cards, 'card of a repository', 'cards of repositories')} written.`,
    ];
    printAnswer(output, options, healed, ...words);
    return 0;
  },
};
