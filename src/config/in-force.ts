import { addressesOfServers } from '../domain/database-address.ts';
import { isAppError } from '../errors.ts';
import { scrub } from '../log.ts';
import { readSetting } from './config.ts';
import { type Environment, isInEnvironment, textOf } from './environment.ts';
import { type Name, names, plain, rowOf } from './settings.ts';

/** A setting as it is in force. */
export interface InForce {
  name: Name;
  /** Null where nothing is set and there is no default, and where it cannot be read. Secrets are hidden. */
  value: string | null;
  from: 'environment' | '.env' | 'default';
  /** The file that holds the value, where NAME_FILE names one. */
  file?: string;
  /** What happens where nothing is set. */
  absent?: string;
  /** What is wrong with it, and the cure. */
  fault?: string;
}

/** Every setting, in the order of the rows; `environment` is what `readEnvironment` gave. */
export function listInForce(environment: Environment): InForce[] {
  return names.map((name) => {
    const { absent } = rowOf(name);
    const { text, fault } = look(environment, name);
    return {
      name,
      value: text === '' ? null : shown(name, text),
      ...originOf(environment, name),
      ...(text === '' && absent !== undefined && { absent: plain(absent) }),
      ...(fault !== undefined && { fault }),
    };
  });
}

function look(environment: Environment, name: Name): { text: string; fault?: string } {
  let text = '';
  try {
    text = textOf(environment, name);
    readSetting(environment, name);
    return { text };
  } catch (error) {
    if (!isAppError(error, 'config/invalid')) throw error;
    return { text, fault: error.message };
  }
}

function originOf(environment: Environment, name: Name): Pick<InForce, 'from' | 'file'> {
  const file = environment[`${name}_FILE`];
  if (file) return { from: placeOf(`${name}_FILE`), file };
  return { from: environment[name] ? placeOf(name) : 'default' };
}

const placeOf = (name: string) => (isInEnvironment(name) ? 'environment' : '.env');
const hidden = '[hidden]';

function shown(name: Name, text: string): string {
  const { secret } = rowOf(name);
  if (secret === 'whole') return hidden;
  return secret === 'password' ? withoutPassword(text) : String(scrub(text));
}

/** A password stands in front of the host, or among the parameters. */
function withoutPassword(text: string): string {
  const urls = addressesOfServers(text).map((address) => URL.parse(address));
  const [url] = urls;
  if (url == null || urls.includes(null)) return hidden;
  const { protocol, username, password, pathname, search } = url;
  const host = urls.map((one) => one?.host).join(',');
  const user = username === '' && password === '' ? '' : `${username}${password && `:${hidden}`}@`;
  return `${protocol}//${user}${host}${pathname}${search && `?${hidden}`}`;
}
