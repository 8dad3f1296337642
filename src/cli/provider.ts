import { AppError } from '../errors.ts';
import { type Moved, moveProvider, type Proof } from '../flows/provider/move-provider.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer, text } from './command.ts';
import { openWithoutQueueFromEnvironment } from './open-resources.ts';

/** Follows the provider to another address, so that people keep what they have. */
export const providerMove: Command = {
  usage: 'OLD NEW [--dry-run] [--json]',
  summary: 'move people and consents to the new address of the same provider',
  options: { 'dry-run': { help: 'compare and count, but change nothing and send no token' }, ...json },
  operands: { old: 'the issuer as it was, as nightkeep doctor names it', new: 'the issuer as OIDC_ISSUER is now' },
  run: async (options, output) => {
    const to = URL.parse(text(options, 'new') ?? '');
    if (to === null) throw new AppError('usage/invalid', 'NEW is no address: write it as OIDC_ISSUER.');
    await using resources = await openWithoutQueueFromEnvironment();
    const dryRun = options['dry-run'] === true;
    const moved = await moveProvider(resources, { from: text(options, 'old') ?? '', to, dryRun, by: commandActor() });
    printAnswer(output, options, { ...moved, dryRun }, ...wordsOf({ ...moved, dryRun }));
    return 0;
  },
};

function wordsOf(row: Moved & { dryRun: boolean }): string[] {
  const { from, to, people, grants, joined, settled, proof, dryRun } = row;
  const both = `${joined} of them signed in at the new address before and left nothing there; they become one.`;
  return [
    proofWords(proof),
    `${dryRun ? 'Would be moved' : 'Moved'} from ${from} to ${to}: people ${people}, consents ${grants}.`,
    ...(joined === 0 ? [] : [both]),
    ...(settled.length === 0
      ? []
      : [`Not moved, since they have consented or are backed up at both: ${settled.join(', ')}.`]),
    ...(dryRun ? ['Nothing was changed.'] : []),
  ];
}

function proofWords(proof: Proof): string {
  switch (proof.by) {
    case 'keys':
      return `Both are one provider: they sign with the same ${proof.kids.length === 1 ? 'key' : 'keys'} ${proof.kids.join(', ')}.`;
    case 'exchange':
      return `Both are one provider: the new address took an offline token of the old one, of the subject ${proof.subject}.`;
    case 'none yet':
      return `${proof.compared} Without --dry-run one or two consents are tried at the new address, which proves it if one is taken.`;
  }
}
