import { AppError } from '../errors.ts';
import { chooseSources, findSourceChoice } from '../flows/consent/choose-sources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer, text } from './command.ts';
import { namesIn } from './named-sources.ts';
import { openWithoutQueueFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf } from './people.ts';

/** Chooses for a person what is backed up of that which they have agreed to, as their settings page does. */
export const plansChoose: Command = {
  usage: '--user NAME --sources NAMES [--reason WORDS] [--json]',
  summary: 'choose for somebody what is backed up of what they have agreed to',
  options: {
    user: { value: 'NAME', help: 'whose: a user name, subject or id' },
    sources: {
      value: 'NAMES',
      help: 'what is to be backed up: files, calendars, contacts, mail; the rest is left out',
    },
    reason: { value: 'WORDS', help: 'why, for the audit' },
    ...json,
  },
  run: async (options, output) => {
    const [name, names, words] = [givenName(options), namesIn(options), text(options, 'reason')];
    if (names === undefined)
      throw new AppError(
        'usage/invalid',
        'Say what is to be backed up with --sources, as in --sources files,calendars.',
      );
    await using resources = await openWithoutQueueFromEnvironment();
    const { id: userId, ...user } = await getUserByName(resources, name, 'acting');
    const choice = await findSourceChoice(resources, userId);
    const ended = () => new AppError('request/not-found', `${nameOf(user)} has no consent to choose from.`);
    if (choice === null) throw ended();
    const made = await chooseSources(resources, { userId, names, by: commandActor(), words });
    if (made === 'ended') throw ended();
    if (made === 'not-agreed') {
      const agreed = choice.choosable.map((source) => source.name).join(', ');
      throw new AppError(
        'request/forbidden',
        `${nameOf(user)} has agreed to ${agreed} and to nothing else. They have to agree to more themselves.`,
      );
    }
    const said =
      made === 'unchanged' ? 'It was so already.' : 'It counts from the next backup on. They read it on their pages.';
    printAnswer(
      output,
      options,
      { user: nameOf(user), sources: names, changed: made === 'chosen' },
      `Backed up of ${nameOf(user)}: ${names.join(', ')}. ${said}`,
    );
    return 0;
  },
};
