import { adopt } from './adopt.ts';
import { auditCommand } from './audit.ts';
import { backup } from './backup.ts';
import { checkCommand } from './check.ts';
import { circuits } from './circuits.ts';
import type { Command } from './command.ts';
import { diffCommand } from './diff.ts';
import { doctor } from './doctor.ts';
import { dumpCommand } from './dump.ts';
import { enrollDevice, enrollPassword, enrollService } from './enroll.ts';
import { findCommand } from './find.ts';
import { forget } from './forget.ts';
import { grants } from './grants.ts';
import { heal } from './heal.ts';
import { keys, keysRetire, keysRotate } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { plans } from './plans.ts';
import { protection } from './protection.ts';
import { providerMove } from './provider.ts';
import { pruneCommand } from './prune.ts';
import { queueCommand } from './queue.ts';
import { repairCommand } from './repair.ts';
import { repairKeys } from './repair-keys.ts';
import { repairSnapshotsCommand } from './repair-snapshots.ts';
import { restoreCommand } from './restore.ts';
import { runs } from './runs.ts';
import { settingsCommand } from './settings.ts';
import { snapshots } from './snapshots.ts';
import { start } from './start.ts';
import { exportCommand, importCommand } from './state.ts';
import { stats } from './stats.ts';
import { status } from './status.ts';
import { storeCommand, storeMove } from './store.ts';
import { users } from './users.ts';
import { withdraw } from './withdraw.ts';

/** Every command by its name, which is one word or two. */
export const commands: Readonly<Record<string, Command>> = {
  start,
  settings: settingsCommand,
  doctor,
  migrate: migrateCommand,
  backup,
  protection,
  snapshots,
  restore: restoreCommand,
  diff: diffCommand,
  find: findCommand,
  dump: dumpCommand,
  forget,
  prune: pruneCommand,
  check: checkCommand,
  stats,
  repair: repairCommand,
  'repair keys': repairKeys,
  'repair snapshots': repairSnapshotsCommand,
  store: storeCommand,
  'store move': storeMove,
  adopt,
  export: exportCommand,
  import: importCommand,
  'enroll device': enrollDevice,
  'enroll password': enrollPassword,
  'enroll service': enrollService,
  grants,
  withdraw,
  circuits,
  'provider move': providerMove,
  keys,
  'keys rotate': keysRotate,
  'keys retire': keysRetire,
  heal,
  status,
  users,
  plans,
  runs,
  queue: queueCommand,
  audit: auditCommand,
};
