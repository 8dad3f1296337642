/** One instruction of a Dockerfile, with continuation lines joined. */
export interface Instruction {
  name: string;
  rest: string;
}

/** One stage: what begins with FROM. */
export interface Stage {
  /** As in `FROM base AS name`; the last stage has none. */
  name: string | undefined;
  base: string;
  instructions: Instruction[];
}

export function readInstructions(text: string): Instruction[] {
  return text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ name: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

export function readStages(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of readInstructions(text)) {
    const [base = '', , name] = instruction.rest.split(' ');
    if (instruction.name === 'FROM') stages.push({ name, base, instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}
