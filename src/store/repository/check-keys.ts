import { countWords } from '../../count-words.ts';
import { isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import { idOf, type KeyId, parseId } from '../format/ids.ts';
import type { Finding } from './finding.ts';
import { isOfOneFile } from './keys.ts';

/** How many key files besides the known ones are read: more exist only if somebody put them there. */
const mostOthers = 1_000;

/**
 * Whether every key file is what it was when it was made, whose digest is its name, and whether the known ones are there. A key file
 * that was changed or cut opens with no password, and nobody notices before they need it.
 */
export async function checkKeys(backend: Backend, known: readonly KeyId[]): Promise<Finding[]> {
  const names = new Set(await Array.fromAsync(backend.list('key'), ({ name }) => parseId<KeyId>(name)));
  const others = [...names].filter((name) => !known.includes(name));
  const findings: Finding[] = [];
  for (const name of new Set([...known, ...others.slice(0, mostOthers)])) {
    try {
      const found = names.has(name) ? await lookAt(backend, name) : 'is missing';
      if (found !== undefined) findings.push(finding(name, found));
    } catch (error) {
      if (known.includes(name) || !isOfOneFile(error)) throw error;
      findings.push({ kind: 'key-damaged', severity: 'hint', keyId: name, message: error.message });
    }
  }
  if (others.length > mostOthers) findings.push(notLookedAt(others.length - mostOthers));
  return findings;
}

function notLookedAt(more: number): Finding {
  const message = `Not examined: ${countWords(more, 'more key file')}; no program makes so many.`;
  return { kind: 'key-damaged', severity: 'hint', more, message };
}

async function lookAt(backend: Backend, name: string): Promise<string | undefined> {
  try {
    const isSame = async () => idOf<KeyId>(await backend.load('key', name)) === name;
    // One bad read is no damage.
    return (await isSame()) || (await isSame()) ? undefined : 'is not what it was when it was made';
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return `cannot be read: ${error.message}`;
    // Listed, and gone by now: its owner removed it.
    if (isAppError(error, 'store/not-found')) return undefined;
    throw error;
  }
}

function finding(keyId: KeyId, what: string): Finding {
  const kind = what === 'is missing' ? 'key-missing' : 'key-damaged';
  return { kind, severity: 'error', keyId, message: `The key file ${keyId} ${what.replace(/\.$/, '')}. ${cure}` };
}

const cure =
  'nightkeep repair keys writes those of Nightkeep and of the recovery key again, and removes what is no key file any more; one of another program comes back from a copy of the store, or its person removes it on their page “Recovery”.';
