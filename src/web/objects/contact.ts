import { contentLines, partsOf, textOf } from './content-lines.ts';

/** What people look for in a contact. */
export interface Contact {
  readonly kind: 'contact';
  readonly title: string;
  readonly organization: string;
  readonly mails: readonly string[];
  readonly phones: readonly string[];
  readonly addresses: readonly string[];
  readonly notes: string;
}

/** Nobody has more of one kind. */
const most = 20;

/** What a vCard says (RFC 2426, RFC 6350); undefined where it is none. */
export function readContact(text: string): Contact | undefined {
  const values = new Map<string, string[]>();
  let isCard = false;
  for (const { name, value } of contentLines(text)) {
    if (name === 'BEGIN') isCard = true;
    if (name === 'END') break;
    const known = values.get(name) ?? [];
    if (isCard && known.length < most) values.set(name, [...known, value]);
  }
  if (!isCard) return undefined;
  const all = (name: string, of: (value: string) => string) =>
    (values.get(name) ?? []).map(of).filter((value) => value !== '');
  const [organization = ''] = all('ORG', joined);
  const [full] = all('FN', textOf);
  const [parts] = all('N', givenFirst);
  return {
    kind: 'contact',
    title: full ?? parts ?? organization,
    organization,
    mails: all('EMAIL', withoutScheme),
    phones: all('TEL', withoutScheme),
    addresses: all('ADR', joined),
    notes: all('NOTE', textOf)[0] ?? '',
  };
}

/** The value holds family name, given name, further names, prefixes and suffixes, in this order (RFC 6350, section 6.2.2). */
function givenFirst(value: string): string {
  const [family = '', given = ''] = value.split(/(?<!\\);/).map(textOf);
  return `${given} ${family}`.trim();
}

/** The parts on one line; in an address some hold several. */
function joined(value: string): string {
  return partsOf(value)
    .flatMap((part) => part.split('\n').map((line) => line.trim()))
    .filter((line) => line !== '')
    .join(', ');
}

function withoutScheme(value: string): string {
  return textOf(value).replace(/^(mailto|tel):/i, '');
}
