import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import type { PackedBlob } from '../format/blob.ts';
import type { PackId } from '../format/ids.ts';
import { decodePackHeader, headerLength, headerLengthBytes, packSize } from '../format/pack-header.ts';
import type { Repository } from './repository.ts';

/** Enough for a thousand blobs, which packs rarely have more of. */
const eagerBytes = 48 * 1024;

/**
 * The blobs of a pack of so many bytes, as its own header names them, read from its end alone. Throws `store/not-found`, and `repository/damaged`
 * where the header does not open, or says that the pack has another size.
 */
export async function readPackHeader(
  { backend, masterKey }: Pick<Repository, 'backend' | 'masterKey'>,
  id: PackId,
  size: number,
): Promise<PackedBlob[]> {
  const tail = (length: number) => backend.load('data', id, { offset: size - length, length });
  if (size <= headerLengthBytes) throw otherSize(id, size);
  const eager = await tail(Math.min(size, eagerBytes));
  const wanted = headerLength(eager) + headerLengthBytes;
  if (wanted > size) throw otherSize(id, size);
  const end = wanted > eager.length ? await tail(wanted) : eager.subarray(eager.length - wanted);
  const blobs = decodePackHeader(masterKey, end.subarray(0, -headerLengthBytes));
  if (packSize(blobs) !== size) throw otherSize(id, size);
  return blobs;
}

function otherSize(packId: PackId, size: number): AppError {
  return new AppError(
    'repository/damaged',
    `The pack ${packId} has ${countWords(size, 'byte')}, which is not what its header says.`,
    {
      detail: { packId },
    },
  );
}
