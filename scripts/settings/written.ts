import { names, plain, rowOf } from '../../src/config/settings.ts';

/** The same document with this text between the marks. Throws where they are not in it, once each and in order. */
export function between(document: string, [begin, end]: readonly [string, string], text: string): string {
  const [before, rest, ...more] = document.split(`${begin}\n`);
  const [, after, ...others] = rest?.split(end) ?? [];
  if (after === undefined || more.length + others.length > 0)
    throw new Error(`"${begin}" and "${end}" must stand once.`);
  return `${before}${begin}\n${text}\n${end}${after}`;
}

/** README's table. */
export function readmeOf(): string {
  const rows = names.map((name) => {
    const { default: text, absent, help } = rowOf(name);
    const otherwise = text === undefined ? (absent ?? 'must be set') : `\`${text}\``;
    return `| \`${name}\` | ${otherwise} | ${help} |`;
  });
  return ['', '| setting | default | what it is |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** `.env.example`: what must be filled in as it is written, the rest behind a `#`. */
export function exampleOf(): string {
  const rows = names.map((name) => {
    const { default: text, absent, help, fillIn, example } = rowOf(name);
    const otherwise = text === undefined && absent !== undefined ? ` (default: ${absent})` : '';
    const line = fillIn === undefined ? `# ${name}=${example ?? text ?? ''}` : `${name}=${fillIn}`;
    return `# ${plain(`${help}${otherwise}`)}\n${line}`;
  });
  return `\n${rows.join('\n\n')}\n`;
}
