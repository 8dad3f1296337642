import { createHash } from 'node:crypto';
import { piecesOf } from '../../pieces.ts';
import type { Mailbox, Mailboxes, MailboxFacts, MailboxStatus } from './mailbox-tree.ts';

/**
 * What stays the same as long as nothing in these mailboxes and below them changes, by path; those of which the server does not say that are
 * left out.
 */
export async function validatorsOf({ byPath }: Mailboxes): Promise<ReadonlyMap<string, string>> {
  const validators = new Map<string, string>();
  // What is in others was placed after them.
  for await (const piece of piecesOf([...byPath.values()].toReversed()))
    for (const mailbox of piece) {
      const validator = validatorOf(mailbox, mailbox.status, validators);
      if (validator !== undefined) validators.set(mailbox.path, validator);
    }
  return validators;
}

/** The same of one mailbox as it stands now, with what is below it as it was listed. */
export function validatorOf(
  { facts, below }: Mailbox,
  status: MailboxStatus | undefined,
  validators: ReadonlyMap<string, string>,
): string | undefined {
  const own = facts === undefined ? 'none' : ownValidator(facts, status);
  if (own === undefined || below.length === 0) return facts === undefined ? undefined : own;
  const hash = createHash('sha256').update(own);
  for (const { path, name } of below) {
    const validator = validators.get(path);
    if (validator === undefined) return undefined;
    hash.update(`\n${name}\n${validator}`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** New messages, flags and deletions each change one of these numbers; without them all nothing can be relied on. */
function ownValidator(facts: MailboxFacts, status: MailboxStatus | undefined): string | undefined {
  const { uidValidity, uidNext, highestModSeq, messages } = status ?? {};
  const isKept = [uidValidity, uidNext, highestModSeq].every((number) => number !== undefined && number !== '0');
  if (!isKept) return undefined;
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 8);
  return `${uidValidity} ${uidNext} ${highestModSeq} ${messages} ${digest}`;
}
