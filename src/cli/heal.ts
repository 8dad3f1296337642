import { countWords } from '../count-words.ts';
import { saveAudit } from '../database/audit.ts';
import { heal as healAll } from '../flows/heal.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer } from './command.ts';
import { writeDueCards } from './due-cards.ts';
import { openFromEnvironment } from './open-resources.ts';

/** Mends what a crash or a lost queue left behind; workers do it by themselves every ten minutes. */
export const heal: Command = {
  usage: '[--json]',
  summary: 'refill the queue and return lapsed work',
  options: json,
  exits: { 3: 'some cards of repositories could not be written' },
  run: async (options, output) => {
    await using resources = await openFromEnvironment();
    const mended = await healAll(resources);
    const { left, ...written } = await writeDueCards(resources);
    const healed = { ...mended, ...written };
    const at = resources.clock.now();
    await saveAudit(resources.database, { at, by: commandActor(), act: 'service-healed' });
    const { replayed, silent, revoked, returned, failed, queued, cards, cardsFailed } = healed;
    const words = [
      `Tokens: ${replayed} saved from this disk, ${countWords(silent, 'exchange')} ended without an answer, ${revoked} withdrawn at the provider.`,
      `Runs: ${returned} returned to the queue, ${failed} failed for good, ${countWords(queued, 'waits', 'wait')} in the queue.`,
      `Store: ${countWords(cards, 'card of a repository', 'cards of repositories')} written.${left}`,
    ];
    printAnswer(output, options, healed, ...words);
    return cardsFailed === 0 ? 0 : 3;
  },
};
