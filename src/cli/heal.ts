import { heal as healHouse } from '../flows/nights/heal.ts';
import type { Command } from './command.ts';
import { openHouse } from './open-house.ts';

/** Mends what a crash or a lost queue left behind; workers do it by themselves every ten minutes. */
export const heal: Command = {
  usage: '',
  summary: 'refill the queue and return lapsed work',
  options: {},
  run: async (_options, output) => {
    await using house = await openHouse();
    output.line(JSON.stringify(await healHouse(house)));
    return 0;
  },
};
