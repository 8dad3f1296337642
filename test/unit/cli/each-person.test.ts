import { beforeEach, expect, test, vi } from 'vitest';
import type { Options } from '../../../src/cli/command.ts';
import { closeWith, doForEach, printAnswers } from '../../../src/cli/each-person.ts';
import { exitCodeOfInterrupt } from '../../../src/cli/interrupt.ts';
import { AppError } from '../../../src/errors.ts';

let said: string[];
let complaints: string[];
beforeEach(() => {
  [said, complaints] = [[], []];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => complaints.push(String(line)) > 0);
  return () => write.mockRestore();
});

const stop = new AppError('run/stopped', 'Stopped.', { detail: { signal: 'SIGINT' } });
const refused = new AppError('repository/locked', 'It is locked.');

/** A command with these people, some of whom bring this error about; answers what it ends with. */
async function command(options: Options, people: Readonly<Record<string, AppError | undefined>>): Promise<unknown> {
  const answers = await doForEach(options, Object.keys(people), {
    nameOf: (name) => name,
    work: async (name) => {
      if (people[name] !== undefined) throw people[name];
      return { user: name };
    },
    whenStopped: 'Run it again.',
  });
  const output = { line: (text: string) => void said.push(text) };
  printAnswers(output, options, { answers, linesOf: ({ user }) => [`${user}: done`] });
  return closeWith(answers);
}
const endOf = (...about: Parameters<typeof command>) => command(...about).catch((error: unknown) => error);

test('a command that is stopped in the middle says what it did until then, for whom it failed, and how to go on', async () => {
  const end = await endOf({ all: true }, { alice: undefined, bob: refused, carol: stop, dave: undefined });
  expect(said).toEqual(['alice: done']);
  expect(complaints).toEqual(['nightkeep: bob: It is locked.\n']);
  expect(end).toMatchObject({ message: 'Stopped at carol: it is done only for those who came before. Run it again.' });
  expect(exitCodeOfInterrupt(end)).toBe(130);
});

test('one that is stopped at the first says nothing of the others, and JSON stays a list', async () => {
  await endOf({ all: true }, { alice: stop });
  expect(said).toEqual([]);
  await endOf({ all: true, json: true }, { alice: undefined, bob: stop });
  expect(said).toEqual(['[{"user":"alice"}]']);
});

test('one for a single person ends by what was thrown, and says of a stop how to go on', async () => {
  const end = await endOf({}, { alice: stop });
  expect(end).toMatchObject({ code: 'run/stopped', message: 'Stopped. Run it again.' });
  expect(exitCodeOfInterrupt(end)).toBe(130);
  expect(await endOf({}, { alice: refused })).toBe(refused);
  expect(said).toEqual([]);
});
