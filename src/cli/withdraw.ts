import { findGrantOfPerson } from '../database/consent/grant-views.ts';
import { AppError } from '../errors.ts';
import { type TokensAtProvider, withdrawConsent } from '../flows/consent/withdraw-consent.ts';
import { type EraseChoice, eraseAtOf, eraseChoices } from '../flows/erasure/erase-choice.ts';
import { commandActor } from './actor.ts';
import { askYes } from './ask.ts';
import { type Command, json, type Options, oneOf, printAnswer, text } from './command.ts';
import { openWithoutQueueFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf } from './people.ts';

/** Ends somebody's consent for them, as the page does: for people who cannot sign in any more. */
export const withdraw: Command = {
  usage: '--user NAME [--reason WORDS] [--snapshots DAYS|now] [--yes] [--json]',
  summary: 'end the consent of somebody who cannot do it themselves',
  options: {
    user: { value: 'NAME', help: 'whose consent: a user name, subject or id' },
    snapshots: {
      value: 'DAYS',
      help: `how long their snapshots stay: ${eraseChoices.join(', ')}; without it they stay until somebody says otherwise`,
    },
    reason: { value: 'WORDS', help: 'why, for the audit' },
    yes: { help: 'do not ask' },
    ...json,
  },
  run: async (options, output) => {
    const [name, choice, words] = [givenName(options), choiceOf(options), text(options, 'reason')];
    await using resources = await openWithoutQueueFromEnvironment();
    const user = await getUserByName(resources, name, 'acting');
    const grant = await findGrantOfPerson(resources.database, { userId: user.id });
    if (grant === null || grant.state === 'withdrawn')
      throw new AppError('request/not-found', `${nameOf(user)} has no consent that could be withdrawn.`);
    const question = `End the consent of ${nameOf(user)}${choice === 'now' ? ' and erase all of their snapshots' : ''}? (yes/no) `;
    if (options.yes !== true && !(await askYes(question, 'Confirm with --yes.'))) return 1;
    const ended = await withdrawConsent(resources, {
      grantId: grant.id,
      by: commandActor(),
      reason: 'withdrawn_by_operator',
      ...(words !== undefined && { words }),
      eraseAt: choice && eraseAtOf(choice, resources.clock.now()),
    });
    if (!ended.withdrawn) throw new AppError('request/not-found', 'Somebody else withdrew it meanwhile.');
    const answer = { user: nameOf(user), grantId: grant.id, state: 'withdrawn', tokens: ended.tokens };
    printAnswer(output, options, answer, `The consent of ${nameOf(user)} has ended here. ${tokenWords[ended.tokens]}`);
    return 0;
  },
};

const tokenWords: Record<TokensAtProvider, string> = {
  ended: 'The provider ended the token too.',
  outstanding: 'The provider has not confirmed it yet; workers try again.',
  'not ended there':
    'The token is destroyed here. It could not be ended at the provider: either the token had expired, or the provider offers no revocation; then end the session of the person, or the access of this client, there.',
};

function choiceOf(options: Options): EraseChoice | undefined {
  const word = oneOf(options, 'snapshots', eraseChoices.map(String));
  return eraseChoices.find((choice) => String(choice) === word);
}
