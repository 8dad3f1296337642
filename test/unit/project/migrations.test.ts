import { expect, test } from 'vitest';
import { readMigrations } from '../../../src/database/server/schema-engine.ts';

/** What an older version that still runs cannot live with: something that it reads or writes is gone, or it must write what it does not know. */
const contracting: readonly RegExp[] = [
  /\bDROP\s+(TABLE|COLUMN|TYPE|VIEW|SCHEMA|SEQUENCE|DEFAULT)\b/i,
  /\bRENAME\b/i,
  /\bSET\s+NOT\s+NULL\b/i,
  /\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i,
  /\bADD\s+COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
  /^\s*(TRUNCATE|DELETE\s+FROM)\b/i,
];

/** From before the rule. */
const older = ['20261126043030_no_max_attempts', '20261126074719_web_sessions'];

/** The parts of a migration that an older version cannot live with. */
function contractionsIn(script: string): string[] {
  const statements = script.replace(/--.*$/gm, '').split(';');
  return statements.map((one) => one.trim()).filter((one) => contracting.some((pattern) => pattern.test(one)));
}

test('every migration only adds, so that the version before works on with it, unless its name says that it contracts', async () => {
  const { migrationDirectories } = await readMigrations();
  const strange = migrationDirectories.flatMap(({ path, migrationFile: { content } }) => {
    const contracts = path.endsWith('_contract') || older.includes(path);
    const found = contractionsIn(content.value);
    return contracts ? [] : found.map((statement) => `${path}: ${statement}`);
  });
  expect(strange).toEqual([]);
});

test.each([
  'ALTER TABLE "runs" DROP COLUMN "a"',
  'DROP TABLE "runs"',
  'ALTER TABLE "runs" RENAME COLUMN "a" TO "b"',
  'ALTER TABLE "runs" ALTER COLUMN "a" SET NOT NULL',
  'ALTER TABLE "runs" ALTER COLUMN "a" SET DATA TYPE TEXT',
  'ALTER TABLE "runs" ADD COLUMN "a" TEXT NOT NULL',
  'ALTER TABLE "runs" ADD COLUMN "a" TEXT NOT NULL, ADD COLUMN "b" TEXT NOT NULL DEFAULT 1',
])('%s contracts', (statement) => {
  expect(contractionsIn(`-- why\n${statement};\n`)).toEqual([statement]);
});

test.each([
  'ALTER TABLE "runs" ADD COLUMN "a" TEXT',
  'ALTER TABLE "runs" ADD COLUMN "a" TEXT NOT NULL DEFAULT \'b\'',
  'ALTER TABLE "runs" ALTER COLUMN "a" DROP NOT NULL',
  'CREATE TABLE "later" ("id" UUID NOT NULL)',
  'DROP INDEX "runs_a_idx"',
])('%s expands', (statement) => {
  expect(contractionsIn(`${statement};`)).toEqual([]);
});
