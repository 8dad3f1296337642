/** Compares README.md and .env.example with the rows of the settings; with --write writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { between, exampleOf, readmeOf } from './settings/written.ts';

const write = process.argv.includes('--write');
const places = [
  {
    path: 'README.md',
    marks: ['<!-- settings: written by `npm run write:settings` -->', '<!-- end of settings -->'],
    text: readmeOf(),
  },
  { path: '.env.example', marks: ['# Written by `npm run write:settings`.', '# End of settings.'], text: exampleOf() },
] as const;

for (const { path, marks, text } of places) {
  const before = readFileSync(path, 'utf8');
  const after = between(before, marks, text);
  if (before === after) continue;
  if (write) writeFileSync(path, after);
  else {
    console.error(`${path} is not what src/config/settings.ts says. Run: npm run write:settings`);
    process.exitCode = 1;
  }
}
