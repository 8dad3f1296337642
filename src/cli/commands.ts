import type { Command } from './command.ts';

/** Every command by its name, which is one word or two. Each is loaded when it is needed: together they take as long as many a command. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  settings: async () => (await import('./settings.ts')).settingsCommand,
  doctor: async () => (await import('./doctor.ts')).doctor,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  backup: async () => (await import('./backup.ts')).backup,
  protection: async () => (await import('./protection.ts')).protection,
  snapshots: async () => (await import('./snapshots.ts')).snapshots,
  restore: async () => (await import('./restore.ts')).restoreCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  find: async () => (await import('./find.ts')).findCommand,
  dump: async () => (await import('./dump.ts')).dumpCommand,
  forget: async () => (await import('./forget.ts')).forget,
  prune: async () => (await import('./prune.ts')).pruneCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  stats: async () => (await import('./stats.ts')).stats,
  repair: async () => (await import('./repair.ts')).repairCommand,
  'repair keys': async () => (await import('./repair-keys.ts')).repairKeys,
  'repair snapshots': async () => (await import('./repair-snapshots.ts')).repairSnapshotsCommand,
  store: async () => (await import('./store.ts')).storeCommand,
  'store move': async () => (await import('./store.ts')).storeMove,
  'store lost': async () => (await import('./store.ts')).storeLost,
  adopt: async () => (await import('./adopt.ts')).adopt,
  export: async () => (await import('./state.ts')).exportCommand,
  import: async () => (await import('./state.ts')).importCommand,
  'enroll device': async () => (await import('./enroll.ts')).enrollDevice,
  'enroll password': async () => (await import('./enroll.ts')).enrollPassword,
  'enroll service': async () => (await import('./enroll.ts')).enrollService,
  grants: async () => (await import('./grants.ts')).grants,
  withdraw: async () => (await import('./withdraw.ts')).withdraw,
  circuits: async () => (await import('./circuits.ts')).circuits,
  'provider move': async () => (await import('./provider.ts')).providerMove,
  'files move': async () => (await import('./files.ts')).filesMove,
  keys: async () => (await import('./keys.ts')).keys,
  'keys rotate': async () => (await import('./keys.ts')).keysRotate,
  'keys retire': async () => (await import('./keys.ts')).keysRetire,
  'keys confirm': async () => (await import('./keys.ts')).keysConfirm,
  heal: async () => (await import('./heal.ts')).heal,
  status: async () => (await import('./status.ts')).status,
  users: async () => (await import('./users.ts')).users,
  plans: async () => (await import('./plans.ts')).plans,
  'plans choose': async () => (await import('./plans-choose.ts')).plansChoose,
  runs: async () => (await import('./runs.ts')).runs,
  queue: async () => (await import('./queue.ts')).queueCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
};

/** The names of all commands, in the order in which help lists them. */
export const commandNames: readonly string[] = Object.keys(loaders);

/** The command of this name; undefined where there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(loaders, name) ? loaders[name]?.() : undefined;
}

/** All commands by their names. */
export async function loadCommands(): Promise<Readonly<Record<string, Command>>> {
  const loaded = Object.entries(loaders).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loaded));
}
