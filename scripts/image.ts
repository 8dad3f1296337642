/**
 * Makes what the Dockerfile makes, without a container engine: each stage is a folder, the commands of npm and Node are
 * run in it, and what comes of the last stage is measured and tried. Fails above `mostMegabytes`, which counts what lies
 * beside the base image. `--keep DIR` leaves the last stage there.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readStages, type Stage } from './image/dockerfile.ts';

const mostMegabytes = 250;
const { values } = parseArgs({ options: { keep: { type: 'string' } } });

const home = mkdtempSync(join(tmpdir(), 'nightkeep-image-'));
try {
  const stages = readStages(readFileSync('Dockerfile', 'utf8'));
  for (const stage of stages) make(stage);
  const last = stages.at(-1);
  if (last === undefined) throw new Error('The Dockerfile has no stage.');
  const megabytes = Math.ceil(sizeOf(folderOf(last.name)) / 1e6);
  execFileSync('node', ['src/main.ts', '--help'], { cwd: join(folderOf(last.name), 'app'), stdio: 'ignore' });
  console.log(`image: ${megabytes} MB unpacked beside ${last.base} (at most ${mostMegabytes})`);
  if (megabytes > mostMegabytes) process.exitCode = 1;
  if (values.keep !== undefined) cpSync(folderOf(last.name), values.keep, { recursive: true, verbatimSymlinks: true });
} finally {
  rmSync(home, { recursive: true, force: true });
}

function make({ name, instructions }: Stage): void {
  let at = '/';
  for (const instruction of instructions) {
    if (instruction.name === 'WORKDIR') at = instruction.rest;
    mkdirSync(join(folderOf(name), at), { recursive: true });
    if (instruction.name === 'COPY') copy(instruction.rest, join(folderOf(name), at));
    // Whatever else is run concerns users and folders of the container.
    if (instruction.name === 'RUN' && instruction.rest.startsWith('npm '))
      execFileSync('sh', ['-c', instruction.rest], {
        cwd: join(folderOf(name), at),
        stdio: ['ignore', 'ignore', 'inherit'],
      });
  }
}

/** `COPY [--from=STAGE] SOURCE... TARGET`; where the target ends with a slash, each source goes below it. */
function copy(words: string, into: string): void {
  const [, from, list = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(words) ?? [];
  const paths = list.split(/\s+/);
  const target = paths.pop() ?? '';
  for (const source of paths) {
    const to = join(into, target, target.endsWith('/') ? basename(source) : '');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from === undefined ? source : join(folderOf(from), source), to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => from !== undefined || path !== join('src', 'database', 'generated'),
    });
  }
}

function folderOf(stage: string | undefined): string {
  return join(home, stage ?? 'last');
}

function sizeOf(folder: string): number {
  return globSync('**/*', { cwd: folder }).reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0);
}
