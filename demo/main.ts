import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { openNight } from '../src/flows/open-night.ts';
import { isGood, playOnce } from './once.ts';
import { openWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean' }, json: { type: 'boolean' }, keep: { type: 'string' }, port: { type: 'string' } },
});

process.exit(await main());

async function main(): Promise<number> {
  const folder = values.keep === undefined ? await mkdtemp(join(tmpdir(), 'nightkeep-demo-')) : resolve(values.keep);
  await mkdir(folder, { recursive: true });
  try {
    const port = values.port === undefined ? {} : { port: Number(values.port) };
    await using world = await openWorld({ folder, ...port });
    return values.once === true ? await once(world) : await stay(world, folder);
  } finally {
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function once(world: World): Promise<number> {
  const restoreTo = await mkdtemp(join(tmpdir(), 'nightkeep-restored-'));
  try {
    const played = await playOnce(world, restoreTo);
    if (values.json !== true) console.log('A consent, two nights and a restore:');
    console.log(values.json === true ? JSON.stringify(played) : played);
    return isGood(played) ? 0 : 1;
  } finally {
    await rm(restoreTo, { recursive: true, force: true });
  }
}

async function stay(world: World, folder: string): Promise<number> {
  const { url, cloud, provider } = world;
  console.log(`
Nightkeep      ${url.href}
The cloud      ${cloud.url}   (change a file here)
The provider   ${provider.issuer}
Repositories   ${join(folder, 'store')}

Sign in as alice or bob (the password is the user name), give your consent, and look at the first run.
Press Enter for the next night, or q and Enter to end.
`);
  const input = createInterface({ input: process.stdin });
  for await (const line of input) {
    if (line.trim() === 'q') break;
    world.shift(86_400_000);
    const opened = await openNight(world.house);
    console.log(`It is ${world.house.clock.now().toISOString()}: ${JSON.stringify(opened)}`);
  }
  return 0;
}
