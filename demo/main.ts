import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { keepAlive } from '../src/flows/custody/keep-alive.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { type Demo, startDemo } from './demo.ts';
import { readDuration } from './duration.ts';
import { isGood, playOnce } from './once.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean' }, json: { type: 'boolean' }, keep: { type: 'string' }, port: { type: 'string' } },
});

process.exit(await main());

async function main(): Promise<number> {
  const folder = values.keep === undefined ? await mkdtemp(join(tmpdir(), 'nightkeep-demo-')) : resolve(values.keep);
  await mkdir(folder, { recursive: true });
  try {
    const port = values.port === undefined ? {} : { port: Number(values.port) };
    await using demo = await startDemo({ folder, ...port });
    return values.once === true ? await once(demo) : await stay(demo, folder);
  } finally {
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function once(demo: Demo): Promise<number> {
  const restoreTo = await mkdtemp(join(tmpdir(), 'nightkeep-restored-'));
  try {
    const played = await playOnce(demo, restoreTo);
    if (values.json !== true) console.log('A consent, two nights and a restore:');
    console.log(values.json === true ? JSON.stringify(played) : played);
    return isGood(played) ? 0 : 1;
  } finally {
    await rm(restoreTo, { recursive: true, force: true });
  }
}

async function stay(demo: Demo, folder: string): Promise<number> {
  const { url, cloud, provider } = demo;
  console.log(`
Nightkeep      ${url.href}
The cloud      ${cloud.url}   (change a file here)
The provider   ${provider.issuer}/account   (what a person granted)
               ${provider.issuer}/admin     (its administrator: admin, password admin)
Repositories   ${join(folder, 'store')}

Sign in as alice or bob (the password is the user name), give your consent, and look at the first run.
Press Enter for the next night. Type 30d, 12h or 90s and Enter to let so much time pass at once, for everybody.
Type q and Enter to end.
`);
  const input = createInterface({ input: process.stdin });
  for await (const line of input) {
    if (line.trim() === 'q') break;
    const seconds = readDuration(line.trim() || '1d');
    if (seconds === undefined) console.log('Type a time as 30d, 12h, 5m or 90s, nothing for a night, or q.');
    else console.log(await pass(demo, seconds));
  }
  return 0;
}

/** Time goes on for everybody, and Nightkeep does what is due then. */
async function pass(demo: Demo, seconds: number): Promise<string> {
  demo.advance(seconds * 1000);
  const { opened } = await openNight(demo.resources);
  const { exchanged, failed } = await keepAlive(demo.resources);
  return `It is ${demo.resources.clock.now().toISOString()}: ${opened} runs begin, ${exchanged} grants were kept alive, ${failed} were not.`;
}
