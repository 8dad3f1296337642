/**
 * Takes what packages say of Node out of the lock file, after dependencies have changed: they run on the Node that the
 * lock file brings, while npm compares them with the one that it runs on itself, and warns.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Lock {
  packages: Record<string, { engines?: object }>;
}

const file = 'package-lock.json';
const lock: Lock = JSON.parse(readFileSync(file, 'utf8'));
for (const [path, locked] of Object.entries(lock.packages)) if (path !== '') delete locked.engines;
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
