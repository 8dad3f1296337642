/** `npm run test:faults -- [--seeds N] [--seed S] [--nights N] [--kills N] [vitest options]`: the fault suite, with as many stories, nights and kills as wanted. */
import { spawnSync } from 'node:child_process';

const own: Record<string, string> = {
  '--seeds': 'FAULT_SEEDS',
  '--seed': 'FAULT_SEED',
  '--nights': 'FAULT_NIGHTS',
  '--kills': 'FAULT_KILLS',
};
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
    console.error(`test:faults: ${name} wants a whole number, as in ${name} 1000.`);
    process.exit(2);
  }
  env[variable] = value;
}
const { status } = spawnSync('vitest', ['run', '--project', 'faults', ...rest], { stdio: 'inherit', env });
process.exit(status ?? 1);
