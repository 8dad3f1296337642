/** One offline token in the chain of a grant, without the token. */
export interface Link {
  number: number;
  /** The generation that was sent to get this one. */
  parent: number | null;
  fence: number;
  /** The token's own `iat`, where it can be decoded. */
  issuedAt: Date | null;
}

/**
 * Which generation may be sent: the one issued last, since sending another one kills the whole chain where the provider
 * rotates strictly. A token got for the current one is later than it; two got for the same one are told apart
 * by `iat`, else by the fence. All the others must never be sent.
 */
export function chooseGeneration(current: Link, pending: readonly Link[]): Link {
  const children = pending.filter(({ parent }) => parent === current.number);
  if (children.length > 0) return issuedLast(children);
  return issuedLast([current, ...pending.filter(({ parent }) => parent !== null && parent === current.parent)]);
}

function issuedLast(links: readonly Link[]): Link {
  return links.reduce((last, link) => (isLater(link, last) ? link : last));
}

function isLater(one: Link, other: Link): boolean {
  const apart = (one.issuedAt?.getTime() ?? 0) - (other.issuedAt?.getTime() ?? 0);
  return one.issuedAt && other.issuedAt && apart !== 0 ? apart > 0 : one.fence > other.fence;
}
