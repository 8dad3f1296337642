/** The first that stands in the header counts: browsers also name those that they resemble. */
const browsers = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['Chrome', 'Chrome'],
  ['CriOS', 'Chrome'],
  ['Safari', 'Safari'],
] as const;

const systems = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['CrOS', 'ChromeOS'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/**
 * Browser and system of a `User-Agent` header (RFC 9110, section 10.1.5), as "Firefox, Linux": enough for a person to know their
 * own again. Empty where neither is known.
 */
export function agentOf(header = ''): string {
  const named = [browsers, systems].map((list) => list.find(([word]) => header.includes(word))?.[1]);
  return named.filter((name) => name !== undefined).join(', ');
}
