import type { Context } from 'hono';
import { AppError } from '../errors.ts';

const forms = /^(application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i;

/**
 * Throws `request/invalid` where a form cannot be read as what it says it is, or a character that neither names of files nor
 * PostgreSQL have stands in the address or in a field.
 */
export async function refuseMalformed({ req }: Context): Promise<void> {
  const fields = req.method === 'GET' || req.method === 'HEAD' ? [] : await fieldsOf(req);
  if (/%00/.test(req.url) || fields.some((text) => text.includes('\0')))
    throw new AppError('request/invalid', 'The request holds the character NUL. Send it without.');
}

async function fieldsOf(req: Context['req']): Promise<string[]> {
  try {
    const sent = Object.entries(await req.parseBody({ all: true }));
    return sent.flat(2).filter((value) => typeof value === 'string');
  } catch (cause) {
    const message =
      'The form could not be read: it is incomplete, or not a form. Go back, reload the page and send it again.';
    throw new AppError('request/invalid', message, { cause });
  }
}

/** Throws `request/wrong-type` where what was sent is no form. */
export function refuseOtherTypes({ req }: Context): void {
  const type = req.header('content-type');
  if (type !== undefined && !forms.test(type))
    throw new AppError(
      'request/wrong-type',
      'Only forms are taken here: application/x-www-form-urlencoded or multipart/form-data.',
    );
}
