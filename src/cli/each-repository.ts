import { requireWholeRows } from '../flows/keys/require-whole-rows.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import type { Options, Output } from './command.ts';
import { closeWith, doForEach, printAnswers } from './each-person.ts';
import { openInterrupt } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { nameOf, ownersOf, refuseUnlessOneOrAll, type Use } from './people.ts';

/** Whose repository it is, and what an operator calls them; the signal is aborted by Ctrl-C. */
interface Turn {
  readonly userId: string;
  readonly user: string;
  readonly signal: AbortSignal;
}

/**
 * Does what a command does with the repositories that `--user` or `--all` gives, one after the other, and prints what it came to. A command that acts
 * goes nowhere near a person whose rows are not whole. Answers the exit code: that of `codeOf`, unless it failed for somebody.
 */
export async function doForEachRepository<Row>(
  options: Options,
  output: Output,
  command: {
    readonly use: Use;
    work(resources: RepositoryResources, turn: Turn): Promise<Row>;
    linesOf(row: Row): readonly string[];
    codeOf?(rows: readonly Row[]): number;
    /** What has become of the repository with which it was stopped, and how to go on. */
    readonly whenStopped?: string;
  },
): Promise<number> {
  const { use, work, linesOf, codeOf, whenStopped } = command;
  refuseUnlessOneOrAll(options);
  await using resources = await openRepositoriesFromEnvironment();
  using interrupt = openInterrupt();
  const { signal } = interrupt;
  const answers = await doForEach(options, ownersOf(resources, options, use), {
    nameOf,
    work: async (owner) => {
      signal.throwIfAborted();
      if (use === 'acting') await requireWholeRows(resources, owner.id);
      return await work(resources, { userId: owner.id, user: nameOf(owner), signal });
    },
    whenStopped,
  });
  printAnswers(output, options, { answers, linesOf });
  const code = closeWith(answers, codeOf?.(answers.done));
  return code;
}
