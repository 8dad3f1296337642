/** Refuses imports against the layers, doors opened by others than their keepers, cycles and barrel files. */
import { globSync, readFileSync } from 'node:fs';
import { findViolations } from './layers/check.ts';
import { readModule } from './layers/module.ts';

const places = ['src', 'worker', 'demo', 'bench', 'prisma', 'scripts', 'test'];
const files = globSync([...places.map((place) => `${place}/**/*.ts`), '*.ts'], {
  exclude: ['src/database/generated/**'],
}).sort();

const violations = findViolations(files.map((path) => readModule(path, readFileSync(path, 'utf8'))));
for (const { path, line, what, reason } of violations) console.error(`${path}:${line} ${what}\n    ${reason}`);
console.log(`layers and doors: ${files.length} files, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
