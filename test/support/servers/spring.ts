import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const project = join(import.meta.dirname, 'spring');

/**
 * The program in the folder `spring`, built by Maven when it is asked for the first time and kept in the user's cache.
 * Undefined, after a loud word, where Java or Maven is missing.
 */
export async function springProgram(): Promise<string | undefined> {
  const javac = requireProgram('javac', 'apt-get install openjdk-17-jdk-headless');
  const maven = requireProgram('mvn', 'apt-get install maven');
  if (javac === undefined || maven === undefined) return undefined;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nightkeep');
  const built = join(cache, `spring-${await digestOf(project)}.jar`);
  if (existsSync(built)) return built;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'building-'));
  try {
    await cp(project, work, { recursive: true });
    await run(maven, ['-q', '-B', 'package'], { cwd: work });
    // Moved in one step: a run that was cut off leaves nothing that looks whole.
    await rename(join(work, 'target', 'provider.jar'), built);
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Another source makes another program. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(`${file.slice(folder.length)}\n`).update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

/** Starts Spring Authorization Server on a free loopback port; what it knows is in memory and ends with it. */
export function startSpring(program: string): Promise<RunningServer> {
  // A server that lives for minutes is ready sooner where its compiler does not try hard.
  const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-jar', program, '--server.address=127.0.0.1'];
  return startServerProcess(
    async (port) => ({ command: 'java', args: [...java, `--server.port=${port}`, '--logging.level.root=warn'] }),
    undefined,
    { startMs: 180_000 },
  );
}
