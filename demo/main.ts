/** `npm run demo`. Prints what is coming before it imports everything else, which takes a while. */
import { appendFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isBlockedByBrowsers } from '../src/domain/addresses.ts';
import { makeFolders } from '../src/make-folders.ts';
import type { DemoOptions } from './demo.ts';

const usage = `usage: npm run demo [-- --port PORT] [--keep DIR]
       npm run demo -- --once [--json] [--keep DIR]

  --port PORT  where Nightkeep listens; a free port by default
  --keep DIR   leaves database and repositories in DIR
  --once       plays a consent, two nights and a restore without a person
  --json       prints the outcome of --once as JSON`;

const starting = `Nightkeep's demo: an OpenID provider, a cloud with made-up files, calendars,
contacts and mail, and Nightkeep with an embedded PostgreSQL, all on this machine.
Starting them takes some seconds; nothing leaves this machine, and nothing is kept
unless --keep says so.`;

const values = readOptions();
process.exit(await main());

async function main(): Promise<number> {
  if (values.json !== true) console.log(starting);
  const { makeTemporaryFolder } = await import('./temporary-folder.ts');
  const folder = values.keep === undefined ? await makeTemporaryFolder() : resolve(values.keep);
  try {
    makeFolders(folder);
  } catch (error) {
    console.error(`--keep: the folder ${folder} cannot be made: ${error instanceof Error ? error.message : error}`);
    return 2;
  }
  const options = { folder, ...(values.port !== undefined && { port: Number(values.port) }) };
  try {
    return values.once === true ? await once(options) : await stay(options);
  } finally {
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function once(options: DemoOptions): Promise<number> {
  const [{ startDemo }, { isGood, playOnce }, { makeTemporaryFolder }] = await Promise.all([
    import('./demo.ts'),
    import('./once.ts'),
    import('./temporary-folder.ts'),
  ]);
  await using demo = await startDemo(options);
  const restoreTo = await makeTemporaryFolder();
  try {
    const played = await playOnce(demo, restoreTo);
    console.log(values.json === true ? JSON.stringify(played) : played);
    return isGood(played) ? 0 : 1;
  } finally {
    await rm(restoreTo, { recursive: true, force: true });
  }
}

async function stay(options: DemoOptions): Promise<number> {
  const [{ startDemo }, { playInteractively }] = await Promise.all([import('./demo.ts'), import('./interactive.ts')]);
  const files = { store: join(options.folder, 'store'), log: join(options.folder, 'log') };
  await using demo = await startDemo({ ...options, log: (line) => appendFileSync(files.log, `${line}\n`) });
  await playInteractively(demo, files);
  return 0;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        keep: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      console.log(usage);
      process.exit(0);
    }
    if (values.port !== undefined && !(/^\d{1,5}$/.test(values.port) && Number(values.port) < 65_536))
      throw new Error(`--port is "${values.port}", which is no port: give a number up to 65535.`);
    if (values.port !== undefined && isBlockedByBrowsers(new URL(`http://localhost:${values.port}`)))
      throw new Error(`--port is ${values.port}, which no browser opens: give another one, such as 3000.`);
    return values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
