import { AppError } from '../../errors.ts';
import type { Listing, Member } from './contract.ts';
import { type Enclosing, type Place, type Run, throwUnlessProblem } from './run.ts';

/**
 * What an error means for what it is about: `gone` where it was not found and its folder, listed again, no longer names it. Else
 * the error to be told, and the copy of an earlier night is kept: a server that is half away says of much that it is not there.
 */
export async function judgeAbsence(run: Run, { member, within }: Place, error: AppError): Promise<'gone' | AppError> {
  if (error.code !== 'source/not-found' || within === undefined) return error;
  within.relisting ??= listAgain(run, within);
  const again = await within.relisting;
  if (again !== undefined && !again.isIncomplete && !names(again, member))
    return mayBeMoved(member, within.listing, again) ? moved(error) : 'gone';
  const { cause, detail } = error;
  const status = detail.status === undefined ? '' : ` (HTTP ${detail.status})`;
  return new AppError(error.code, `Its folder lists it, but it is not found when it is requested.${status}`, {
    cause,
    detail,
  });
}

/** Whether its folder now lists another folder than at first: what was in the one may be in the other, of which this archive has nothing. */
function mayBeMoved({ kind }: Member, first: Listing | undefined, again: Listing): boolean {
  return (
    kind === 'collection' &&
    first !== undefined &&
    again.members.some((one) => one.kind === 'collection' && !names(first, one))
  );
}

function moved(cause: AppError): AppError {
  return new AppError(
    'source/changed',
    'It was moved, renamed or deleted while the backup ran. If it was moved or renamed, the next backup has it in its new place.',
    { cause },
  );
}

/** Once for all that was not found in it. */
async function listAgain(run: Run, { member }: Enclosing): Promise<Listing | undefined> {
  try {
    return await run.source.list(member, run.signal);
  } catch (error) {
    throwUnlessProblem(run, error);
    return undefined;
  }
}

function names({ members, problems }: Listing, { name }: Member): boolean {
  return [...members, ...problems].some((one) => one.name === name);
}
