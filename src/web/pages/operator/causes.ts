import { runFaultOf } from '../../../domain/run-fault.ts';
import type { Texts } from '../../texts/en.ts';

interface Ended {
  readonly state: 'partial' | 'failed' | 'queued';
  readonly errorCode: string | null;
}

/** What kept a run from going well, in the words of operators; of one in part, why entries were not read: that says nothing of the whole server. */
export function causeOf({ state, errorCode }: Ended, texts: Texts): string {
  const { causes, changed, damaged, unreadable } = texts.operator;
  if (errorCode === 'repository/damaged') return damaged;
  if (state !== 'partial') return causes[runFaultOf(errorCode)];
  if (errorCode === 'source/changed') return changed;
  return runFaultOf(errorCode) === 'server_refuses' ? causes.server_refuses : unreadable;
}
