import { countWords } from '../count-words.ts';
import { writeCards } from '../flows/adoption/keep-card.ts';

/** Writes the cards that are due; `left` says how many could not be written, where there are some. */
export async function writeDueCards(
  resources: Parameters<typeof writeCards>[0],
): Promise<{ cards: number; cardsFailed: number; left: string }> {
  let cardsFailed = 0;
  const onFailed = () => {
    cardsFailed += 1;
  };
  const cards = await writeCards(resources, { onFailed });
  const left = cardsFailed === 0 ? '' : ` ${countWords(cardsFailed, 'card')} could not be written; the log says why.`;
  return { cards, cardsFailed, left };
}
