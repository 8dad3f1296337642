import { styleText } from 'node:util';
import { systemClock } from '../clock.ts';
import { readEnvironment } from '../config/environment.ts';
import { examine } from '../doctor/doctor.ts';
import type { Finding, State } from '../doctor/finding.ts';
import { type Command, json, printAnswer } from './command.ts';
import { harmless } from './table.ts';

/** Looks at everything that Nightkeep stands on, whatever state it is in; 0 nothing is wrong, 1 something is. */
export const doctor: Command = {
  usage: '[--json]',
  summary: 'check settings, services and grants, and say how to fix what is wrong',
  options: json,
  exits: { 0: 'nothing is wrong', 1: 'something is wrong' },
  run: async (options, output) => {
    const report = await examine(readEnvironment(), systemClock());
    const width = Math.max(...report.checks.map(({ name }) => name.length));
    if (options.json === true) printAnswer(output, options, report);
    else for (const line of report.checks.flatMap((finding) => linesOf(finding, width))) output.line(line);
    return report.ok ? 0 : 1;
  },
};

const colours = { ok: 'green', warn: 'yellow', wrong: 'red', unknown: 'gray' } as const satisfies Record<State, string>;
const widest = 'unknown'.length;

/** One line for the finding and one for the cure, in colour on a terminal only; only the colour is a command to it. */
function linesOf({ name, state, finding, cure }: Finding, width: number): string[] {
  const sign = styleText(colours[state], state.padEnd(widest));
  const told = `${sign}  ${name.padEnd(width)}  ${harmless(finding)}`;
  return cure === undefined ? [told] : [told, `${' '.repeat(widest + width + 4)}→ ${harmless(cure)}`];
}
