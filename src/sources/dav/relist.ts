import { isAppError } from '../../errors.ts';
import type { Send } from '../http/dav-request.ts';
import type { ListedEntry } from '../http/judgement.ts';
import type { Relist } from '../http/judging.ts';
import type { Receiver, ResponseHead } from '../http/request.ts';
import { dateOf, textOf } from '../http/status.ts';
import { itemOf } from './listed-item.ts';
import { type DavResponse, davName, limitsOfOne, multistatusParser } from './multistatus.ts';
import { refuseOtherThanMultistatus } from './pages.ts';

const contentType = davName('getcontenttype');
const body =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
  '<resourcetype/><getcontentlength/><getlastmodified/><getetag/><getcontenttype/></prop></propfind>';

/**
 * How an entry is listed at this moment, by a PROPFIND of depth 0. Undefined where it is no entry any more or the server does
 * not list it by itself; `source/unauthorized` and faults that are not the source's are thrown.
 */
export function relister(send: Send): Relist {
  return async ({ name, location }, signal) => {
    const receive = (head: ResponseHead) => entryReceiver(name, location, head);
    const headers = ['depth', '0', 'content-type', 'application/xml; charset=utf-8'];
    try {
      return (await send({ method: 'PROPFIND', path: location, headers, body, receive }, signal)).value;
    } catch (error) {
      if (!isAppError(error) || !error.code.startsWith('source/') || isAppError(error, 'source/unauthorized'))
        throw error;
      return undefined;
    }
  };
}

function entryReceiver(name: string, location: string, head: ResponseHead): Receiver<ListedEntry | undefined> {
  refuseOtherThanMultistatus(head);
  const listedAt = dateOf(textOf(head.headers.date));
  let only: DavResponse | undefined;
  const parser = multistatusParser((response) => {
    only ??= response;
  }, limitsOfOne);
  const end = () => {
    parser.end();
    if (only === undefined) return undefined;
    const { isCollection, facts, problem } = itemOf(only, location, listedAt);
    const type = only.properties.get(contentType)?.text.split(';', 1)[0]?.trim().toLowerCase();
    return isCollection || problem !== undefined ? undefined : { name, ...facts, ...(type && { type }) };
  };
  return { data: parser.write, end };
}
