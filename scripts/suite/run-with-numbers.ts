import { spawnSync } from 'node:child_process';

/**
 * Runs a suite with the words of the command line: those of `own` (`--seed 7` or `--seed=7`) become variables of the environment, the rest is
 * vitest's. Ends the process as vitest ended, with 2 where one of these has no whole number.
 */
export function runWithNumbers(suite: string, own: Readonly<Record<string, string>>): never {
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
      console.error(`test:${suite}: ${name} wants a whole number, as in ${name} 60.`);
      process.exit(2);
    }
    env[variable] = value;
  }
  const { status } = spawnSync('vitest', ['run', '--project', suite, ...rest], { stdio: 'inherit', env });
  process.exit(status ?? 1);
}
