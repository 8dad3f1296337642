import { AppError } from '../errors.ts';
import { harmless } from './table.ts';

/**
 * Asks for a secret without showing it; from a pipe its first line is taken. Rejects with `usage/invalid` where nothing is
 * typed, or the person ends it with Ctrl-C.
 */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return firstLine(await piped());
  stderr.write(harmless(question));
  stdin.setRawMode(true);
  try {
    return firstLine(await typed());
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

/** Asks a person at a terminal for a yes. Throws `usage/invalid` where there is nobody to ask. */
export async function askYes(question: string, otherwise: string): Promise<boolean> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new AppError('usage/invalid', otherwise);
  stderr.write(harmless(question));
  const answer = await new Promise<string>((resolve) =>
    stdin.once('data', (bytes) => resolve(bytes.toString())).resume(),
  );
  stdin.pause();
  return /^y(es)?$/i.test(answer.trim());
}

async function piped(): Promise<string> {
  let text = '';
  for await (const bytes of process.stdin.setEncoding('utf8')) text += bytes;
  return text;
}

/** Raw keys: Enter ends, Backspace takes back, Ctrl-C gives up. */
function typed(): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (keys: string) => {
      for (const key of keys) {
        if (key === '\u0003') return end(() => reject(new AppError('usage/invalid', 'Nothing was changed.')));
        if (key === '\r' || key === '\n' || key === '\u0004') return end(() => resolve(text));
        text = key === '\u007f' || key === '\b' ? Array.from(text).slice(0, -1).join('') : text + key;
      }
    };
    const end = (settle: () => void) => {
      stdin.off('data', hear);
      settle();
    };
    stdin.setEncoding('utf8').on('data', hear).resume();
  });
}

function firstLine(text: string): string {
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new AppError('usage/invalid', 'There is no password. Type it, or send it on standard input.');
  return line;
}
