import { settings } from '../config/settings.ts';
import { type Finding, ok, warn, wrong } from './finding.ts';

const name = 'settings';
/** Names that begin like this are meant for us. */
const ours = /^(OIDC|OFFLINE)_/;

/** Every wrong setting by itself, and names that no setting has. */
export function judgeSettings(faults: readonly string[], names: readonly string[]): Finding[] {
  const strange = names.filter((one) => ours.test(one) && !Object.hasOwn(settings, one.replace(/_FILE$/, '')));
  const found = [
    ...[...new Set(faults)].map((fault) => wrong(name, fault, 'Correct it and restart every process of Nightkeep.')),
    ...strange.map((one) =>
      warn(name, `${one} is no setting of Nightkeep, so it changes nothing.`, 'Look for a slip of the pen.'),
    ),
  ];
  return found.length > 0 ? found : [ok(name, 'Every setting can be read.')];
}
