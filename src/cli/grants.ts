import { forecastDeaths, type GrantRow, listGrants } from '../database/deadlines.ts';
import { findGrantOfPerson } from '../database/grant-views.ts';
import { AppError } from '../errors.ts';
import { askAgain } from '../flows/custody/ask-again.ts';
import type { Resources } from '../resources.ts';
import { type Command, type Options, type Output, text } from './command.ts';
import { openHouse } from './open-house.ts';
import { namedUser } from './people.ts';

const states = ['active', 'suspect', 'needs_consent', 'withdrawn'] as const;
const most = 10_000;
const dayMs = 86_400_000;

/** Lists grants with their deadlines, forecasts how many die if nothing is exchanged, or asks one again that was refused. */
export const grants: Command = {
  usage: '[--expiring 14d | --forecast 30d | --ask-again --user NAME] [--state STATE] [--json]',
  summary: 'grants and their deadlines',
  options: {
    expiring: { type: 'string' },
    forecast: { type: 'string' },
    state: { type: 'string' },
    user: { type: 'string' },
    'ask-again': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  run: async (options, output) => {
    const [expiring, forecast] = [days(options, 'expiring'), days(options, 'forecast')];
    const state = stateOf(options);
    await using house = await openHouse();
    if (options['ask-again'] === true) return ask(house, options, output);
    if (forecast !== undefined) return tellForecast(house, forecast, options, output);
    const endingBefore = expiring === undefined ? undefined : new Date(house.clock.now().getTime() + expiring * dayMs);
    const rows = await listGrants(house.database, { state, endingBefore, limit: most });
    for (const row of rows) output.line(options.json === true ? JSON.stringify(shown(row)) : lineOf(row));
    if (rows.length === 0 && options.json !== true) output.line('None.');
    return 0;
  },
};

async function ask(house: Resources, options: Options, output: Output): Promise<number> {
  const user = await namedUser(house, options);
  const grant = await findGrantOfPerson(house.database, { userId: user.id });
  if (grant === null) throw new AppError('request/not-found', 'This person has given no consent yet.');
  await askAgain(house, { grantId: grant.id, by: 'operator' });
  output.line('The provider accepts the consent again.');
  return 0;
}

async function tellForecast(house: Resources, ahead: number, options: Options, output: Output): Promise<number> {
  const { living, forecast } = await forecastDeaths(house.database, { at: house.clock.now(), days: ahead });
  if (options.json === true) output.line(JSON.stringify({ living, forecast }));
  else {
    output.line(`If nothing is exchanged from now, of ${living} grants have died`);
    for (const { day, dead } of forecast) output.line(`  by day ${String(day).padStart(3)}  ${dead}`);
  }
  return 0;
}

function shown({ user, ...row }: GrantRow) {
  return { user: user.username ?? user.subject, ...row };
}

function lineOf(row: GrantRow): string {
  const { user, state, reason, idleDeadline, maxDeadline } = shown(row);
  const end = maxDeadline === null ? '' : `, at the latest ${minute(maxDeadline)}`;
  return `${user.padEnd(20)} ${state.padEnd(14)} ends unused ${minute(idleDeadline)}${end}${reason === null ? '' : ` (${reason})`}`;
}

const minute = (date: Date) => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function days(options: Options, name: string): number | undefined {
  const value = text(options, name);
  if (value === undefined) return undefined;
  const [, count] = /^(\d{1,4})d?$/.exec(value) ?? [];
  if (count === undefined) throw new AppError('usage/invalid', `--${name} is "${value}": write it as 14d.`);
  return Number(count);
}

function stateOf(options: Options) {
  const value = text(options, 'state');
  const found = states.find((state) => state === value);
  if (value !== undefined && found === undefined)
    throw new AppError('usage/invalid', `There is no state "${value}": states are ${states.join(', ')}.`);
  return found;
}
