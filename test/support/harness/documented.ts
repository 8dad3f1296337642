import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../../src/config/environment.ts';
import type { Installation } from './installation.ts';

/** The blocks of commands of a page of the documentation that are to be typed, in their order: all of them, or those below one heading. */
export async function commandsIn(page: string, heading?: string): Promise<string[]> {
  const source = await readFile(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const part = source.split(/^(?=##+ )/m).find((one) => one.startsWith(`${heading}\n`));
  if (heading !== undefined && part === undefined) throw new Error(`docs/${page} has no heading "${heading}".`);
  return [...(part ?? source).matchAll(/^ *```sh\n(.*?)^ *```/gms)].map(([, commands = '']) => commands);
}

const program = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Somebody at a shell on the machine of the installation, with these settings besides, who types what the documentation says; answers what they read. */
export async function openShell(
  { folder, here, settings }: Installation,
  own: Environment,
): Promise<(commands: string, more?: Environment) => Promise<string>> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'nightkeep'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  await chmod(join(bin, 'nightkeep'), 0o755);
  return async (commands, more = {}) => {
    const env = { ...settings, PATH: `${bin}:${process.env.PATH}`, HOME: folder, ...own, ...more };
    const child = spawn('bash', ['-e', '-c', commands], { cwd: here, env });
    const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (child.exitCode === 0) return said;
    throw new Error(`It ended with ${child.exitCode}: ${said}${complaints}`);
  };
}
