import { countWords } from '../count-words.ts';
import { ruleText } from '../domain/retention/rule.ts';
import { forgetSnapshots, previewRetention } from '../flows/retention/forget-snapshots.ts';
import type { Judgement, RetentionHold } from '../flows/retention/judge-snapshots.ts';
import { commandActor } from './actor.ts';
import { type Command, json } from './command.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

const holdWords: Record<RetentionHold, string> = {
  'not-agreed': 'all stay: the person has not agreed that any go',
  'keeps-all': 'all stay: the rule keeps everything',
  alarm: 'all stay: nobody has looked at a great loss or change yet (nightkeep protection)',
};

/** Forgets snapshots by the rule that their owner agreed to, and says why each of the others stays. */
export const forget: Command = {
  usage: '--user NAME | --all [--dry-run] [--json]',
  summary: 'forget snapshots by the rule that was agreed to',
  options: { ...oneOrAll, 'dry-run': { help: 'only say which would be removed, and why the others stay' }, ...json },
  exits: {
    3: 'some stay for now although the rule lets them go, or it failed for some people, who are named at the end',
  },
  run: async (options, output) => {
    const dryRun = options['dry-run'] === true;
    const by = commandActor();
    return doForEachRepository(options, output, {
      use: dryRun ? 'looking' : 'acting',
      work: async (resources, { user, userId, signal }) =>
        rowOf(
          user,
          await (dryRun ? previewRetention(resources, userId) : forgetSnapshots(resources, { userId, by, signal })),
        ),
      linesOf: (row) => linesOf(row, { dryRun }),
      codeOf: (rows) => (rows.some(({ hold }) => hold === 'alarm') ? 3 : 0),
      ...(!dryRun && { whenStopped: 'Some snapshots may be gone already: the same command does the rest.' }),
    });
  },
};

function rowOf(user: string, { rule, hold, going, snapshots }: Judgement) {
  const gone = new Set<string>(going);
  return {
    user,
    rule: ruleText(rule),
    hold,
    snapshots: snapshots.map(({ id, time, reasons }) => ({ id, time, keep: !gone.has(id), reasons })),
  };
}

function linesOf({ user, rule, hold, snapshots }: ReturnType<typeof rowOf>, { dryRun }: { dryRun: boolean }): string[] {
  const going = snapshots.filter(({ keep }) => !keep).length;
  const story =
    hold === null
      ? `${countWords(snapshots.length - going, 'stays', 'stay')}, ${going} ${dryRun ? 'would go' : 'went'}`
      : holdWords[hold];
  const each = snapshots.map(({ id, time, keep, reasons }) => {
    const why = reasons.length > 0 ? reasons.join(', ') : 'no reason to stay';
    return `  ${keep ? 'stays' : 'goes '}  ${id.slice(0, 8)}  ${time}  ${why}`;
  });
  return [`${user}: ${story} (${rule})`, ...each];
}
