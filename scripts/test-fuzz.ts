/** `npm run test:fuzz -- [--seconds N] [--seed S] [vitest options]`: the fuzz suite for so many seconds in all, begun with that seed. */
import { spawnSync } from 'node:child_process';

const own: Record<string, string> = { '--seconds': 'FUZZ_SECONDS', '--seed': 'FUZZ_SEED' };
const env = { ...process.env };
const rest: string[] = [];
const args = process.argv.slice(2);
for (let index = 0; index < args.length; index += 1) {
  const [name = '', inline] = (args[index] ?? '').split('=', 2);
  const variable = own[name];
  if (variable === undefined) {
    rest.push(args[index] ?? '');
    continue;
  }
  if (inline === undefined) index += 1;
  const value = inline ?? args[index] ?? '';
  if (!/^-?\d+$/.test(value)) {
    console.error(`test:fuzz: ${name} wants a whole number, as in ${name} 60.`);
    process.exit(2);
  }
  env[variable] = value;
}
const { status } = spawnSync('vitest', ['run', '--project', 'fuzz', ...rest], { stdio: 'inherit', env });
process.exit(status ?? 1);
