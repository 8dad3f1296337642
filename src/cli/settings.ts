import { adviseOn } from '../config/advice.ts';
import { surveySettings } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { type InForce, listInForce } from '../config/in-force.ts';
import { faultsOfKeys } from '../flows/keys/faults-of-keys.ts';
import { type Command, json, printList } from './command.ts';
import { harmless } from './table.ts';

/** Lists every setting that is in force and where it comes from, secrets hidden; what is wrong or doubtful goes to standard error. */
export const settingsCommand: Command = {
  usage: '[--json]',
  summary: 'list the settings in force, and where each comes from',
  options: json,
  run: async (options, output) => {
    const environment = readEnvironment();
    const { faults, settings } = surveySettings(environment);
    const ofKeys = await faultsOfKeys(settings);
    const rows = listInForce(environment).map((row) => ({ ...faultOf(ofKeys, row.name), ...row }));
    const width = Math.max(...rows.map(({ name }) => name.length));
    printList(output, options, { rows, lineOf: (row) => lineOf(row, width), none: '' });
    for (const warning of adviseOn(settings, environment)) process.stderr.write(`Warning: ${harmless(warning)}\n`);
    const wrong = new Set([...faults.values(), ...ofKeys.values()]);
    for (const fault of wrong) process.stderr.write(`Wrong: ${harmless(fault)}\n`);
    return wrong.size === 0 ? 0 : 2;
  },
};

function faultOf(faults: ReadonlyMap<string, string>, name: string): Pick<InForce, 'fault'> {
  const fault = faults.get(name);
  return fault === undefined ? {} : { fault };
}

function lineOf({ name, value, from, file, absent, fault }: InForce, width: number): string {
  const origin = file === undefined ? from : `${from}, in the file ${file}`;
  const notes = fault === undefined ? [absent ?? origin] : [...(from === 'default' ? [] : [origin]), 'wrong'];
  return `${name.padEnd(width)}  ${value === null ? '' : `${value}  `}(${notes.join(', ')})`;
}
