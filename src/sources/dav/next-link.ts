/**
 * The target of the first link to a next page (`Link` with `rel="next"`, RFC 8288); undefined where there is none. Each character is looked at a
 * bounded number of times: a server may send a header with every page.
 */
export function nextLink(header: string): string | undefined {
  for (const [, target, parameters = ''] of header.matchAll(/<([^<>]*)>([^<>]*)/g))
    if (relationsIn(parameters).includes('next')) return target;
  return undefined;
}

function relationsIn(parameters: string): string[] {
  const found = parameters.matchAll(/;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/gi);
  return Array.from(found, ([, quoted, word]) => quoted ?? word ?? '').flatMap((text) =>
    text.toLowerCase().split(/\s+/),
  );
}
