import { html } from 'hono/html';
import { within } from '../../clock.ts';
import type { RestoreView } from '../../database/repositories/restores.ts';
import { isAppError } from '../../errors.ts';
import { openPersonHistory } from '../../flows/snapshots/open-history.ts';
import type { Html } from '../layout.ts';
import { name, pathName } from '../names.ts';
import { nightTimesIn } from '../night-times.ts';
import { type Step, stepsOf } from '../objects/labels.ts';
import { snapshotOf } from '../snapshot.ts';
import type { PersonVisit } from '../visit.ts';

/** How long a page waits for a repository that does not answer, in milliseconds. */
const patienceMs = 2_000;

/** What is restored, by the names on the way to it; of an event also when it is. */
export function stepsPart(steps: readonly Step[]): Html {
  const when = steps.at(-1)?.when ?? '';
  const parts = steps.map(({ title }, index) => html`${index === 0 ? '' : ' / '}${name(title)}`);
  return html`${parts}${when === '' ? '' : html` <span class="soft">${name(when)}</span>`}`;
}

/**
 * What a restore is about: an event by its title and its time, a contact by its name, as long as its snapshot can be read; else, and of anything
 * else, by its path.
 */
export async function whatIsRestored(
  { resources, session, texts }: PersonVisit,
  { path, snapshotId }: Pick<RestoreView, 'path' | 'snapshotId'>,
  zone: string,
): Promise<Html | string> {
  if (path === '') return texts.restores.all;
  const byPath = pathName(path, texts.holding);
  if (!/^(calendars|contacts)\/./.test(path)) return byPath;
  const read = async () => {
    const history = await openPersonHistory(resources, session.userId);
    const { snapshot } = snapshotOf(history, snapshotId);
    return stepsPart(await stepsOf(history, snapshot.tree, path, { texts, times: nightTimesIn(texts, zone) }));
  };
  return within(resources.clock, patienceMs, read).catch((error: unknown) => {
    if (isAppError(error) || (error instanceof DOMException && error.name === 'TimeoutError')) return byPath;
    throw error;
  });
}
