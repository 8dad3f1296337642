import { findQuoted, quotedWords } from '../../config/advice.ts';
import type { Environment } from '../../config/environment.ts';
import { findMisspelt } from '../../config/misspelt.ts';
import { faultsOfKeys } from '../../flows/keys/faults-of-keys.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { sentences } from '../words.ts';

const name = 'settings';

export const settings: Check = {
  name,
  run: async ({ environment, survey }) => {
    const faultsOfThem = await faultsOfKeys(survey.settings);
    return checkSettings([...survey.faults.values(), ...faultsOfThem.values()], environment);
  },
};

/** Every wrong setting by itself, and names that seem to be meant for Nightkeep and are no setting. */
export function checkSettings(faults: readonly string[], environment: Environment): Finding[] {
  const found = [
    ...[...new Set(faults)].map((fault) => wrong(name, fault, 'Correct it and restart every process of Nightkeep.')),
    ...findQuoted(environment).map((one) => warn(name, ...sentences(quotedWords(one)))),
    ...findMisspelt(Object.keys(environment)).map(({ name: one, meant }) =>
      warn(
        name,
        `${one} is not a setting of Nightkeep, so it changes nothing.`,
        meant === undefined ? 'See: nightkeep settings' : `Did you mean ${meant}?`,
      ),
    ),
  ];
  return found.length > 0 ? found : [ok(name, 'Every setting can be read.')];
}
