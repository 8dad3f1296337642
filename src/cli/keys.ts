import { type KeyUse, listKeys, retireKey } from '../flows/keys/retire-key.ts';
import { rotateKeys } from '../flows/keys/rotate-keys.ts';
import { type Command, text } from './command.ts';
import { openHouse } from './open-house.ts';

/** Lists the keys of the keyring and what is sealed under each; exit code 1 when one is missing. */
export const keys: Command = {
  usage: '[--json]',
  summary: 'list the keys, and what is sealed under each',
  options: { json: { type: 'boolean' } },
  run: async (options, output) => {
    await using house = await openHouse();
    const uses = await listKeys(house);
    for (const use of uses) output.line(options.json === true ? JSON.stringify(use) : describe(use));
    return uses.some(({ state }) => state === 'missing') ? 1 : 0;
  },
};

/** Seals everything under the newest key; what does not open stays, and the exit code is 3. Stopped, it can be run again. */
export const keysRotate: Command = {
  usage: '[--json]',
  summary: 'seal everything under the newest key',
  options: { json: { type: 'boolean' } },
  run: async (options, output) => {
    await using house = await openHouse();
    const key = house.keyring.newest;
    const tell = (words: string, fact: Record<string, unknown>) =>
      output.line(options.json === true ? JSON.stringify({ key, ...fact }) : words);
    const { resealed, broken } = await rotateKeys(house, (done, total) =>
      tell(`${done} of ${total} sealed under ${key}`, { resealed: done, total }),
    );
    tell(
      broken === 0
        ? `Sealed ${resealed} values under ${key}.`
        : `Sealed ${resealed} values under ${key}. ${broken} do not open and stay as they are; the log names them.`,
      { resealed, broken },
    );
    return broken === 0 ? 0 : 3;
  },
};

/** Lets a key leave the keyring, unless something is still sealed under it. */
export const keysRetire: Command = {
  usage: 'ID',
  summary: 'let a key leave the keyring',
  options: {},
  operands: ['id'],
  run: async (options, output) => {
    await using house = await openHouse();
    const keyId = text(options, 'id') ?? '';
    await retireKey(house, { keyId, by: 'operator' });
    output.line(
      `Nothing is sealed under ${keyId} any more. Take it out of the keyring and restart every process; then it may be destroyed.`,
    );
    return 0;
  },
};

const states: Record<KeyUse['state'], string> = {
  sealing: 'seals',
  opening: 'opens',
  idle: 'idle',
  missing: 'MISSING',
};

function describe({ id, state, since, sealed }: KeyUse): string {
  const uses = Object.entries(sealed).map(([kind, count]) => `${kind}: ${count}`);
  const front = since === undefined ? 'never in front' : `in front since ${since.toISOString().slice(0, 10)}`;
  return `${id.padEnd(12)} ${states[state].padEnd(8)} ${front.padEnd(26)} ${uses.join(', ') || 'nothing is sealed under it'}`;
}
