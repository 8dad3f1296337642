/** A form as a browser without scripts sees it. */
export interface Form {
  /** As in the page; empty where the form posts to its own address. */
  readonly action: string;
  readonly method: 'get' | 'post';
  readonly fields: readonly Field[];
  readonly buttons: readonly Button[];
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  /** Whether it is sent: false for an unchecked box or a disabled field. */
  readonly sent: boolean;
  /** Nobody can change it. */
  readonly disabled: boolean;
}

interface Button {
  readonly name: string;
  readonly value: string;
  /** Its label. */
  readonly text: string;
}

/** The forms of a page. This is no full HTML parser: it reads the well-formed pages of Nightkeep and the demo. */
export function formsIn(page: string): Form[] {
  const text = page.replace(/<!--[\s\S]*?-->|<script\b[\s\S]*?<\/script>|<style\b[\s\S]*?<\/style>/gi, '');
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([whole, tag = '', inside = '']) => {
    const attributes = attributesOf(tag);
    const elsewhere = attributes.id ? controlsNaming(attributes.id, text.replace(whole, '')) : '';
    return {
      action: attributes.action ?? '',
      method: attributes.method?.toLowerCase() === 'post' ? 'post' : 'get',
      fields: fieldsIn(inside + elsewhere),
      buttons: buttonsIn(inside + elsewhere),
    };
  });
}

/** Decodes the character references that the pages use. */
function decodeReferences(text: string): string {
  return text.replace(/&(#x?[\da-f]+|amp|lt|gt|quot|apos|nbsp);/gi, (whole, name: string) => {
    if (name.startsWith('#')) {
      const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
      return Number.isNaN(code) ? whole : String.fromCodePoint(code);
    }
    return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }[name.toLowerCase()] ?? whole;
  });
}

/** Attributes of a start tag by lower-case name, decoded; one without a value is empty. */
function attributesOf(tag: string): Record<string, string> {
  const pairs = tag.matchAll(/([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
  return Object.fromEntries(
    [...pairs].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decodeReferences(double ?? single ?? bare ?? ''),
    ]),
  );
}

/** Buttons and inputs outside the form that name it with `form="id"`. */
function controlsNaming(id: string, text: string): string {
  return [...text.matchAll(/<button\b([^>]*)>[\s\S]*?<\/button>|<input\b([^>]*)>/gi)]
    .filter(([, button, input]) => attributesOf(button ?? input ?? '').form === id)
    .map(([whole]) => whole)
    .join('');
}

function fieldsIn(text: string): Field[] {
  const inputs = [...text.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, tag = '']) => {
    const { name, type = 'text', value, checked, disabled } = attributesOf(tag);
    if (!name || ['submit', 'button', 'image', 'reset'].includes(type)) return [];
    const box = type === 'checkbox' || type === 'radio';
    return {
      name,
      type,
      value: value ?? (box ? 'on' : ''),
      sent: disabled === undefined && (!box || checked !== undefined),
      disabled: disabled !== undefined,
    };
  });
  const areas = [...text.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/gi)].map(([, tag = '', value = '']) => ({
    name: attributesOf(tag).name ?? '',
    type: 'textarea',
    value: decodeReferences(value.replace(/^\n/, '')),
    sent: true,
    disabled: false,
  }));
  const selects = [...text.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/gi)].map(([, tag = '', options = '']) => ({
    name: attributesOf(tag).name ?? '',
    type: 'select',
    value: selectedIn(options),
    sent: true,
    disabled: false,
  }));
  return [...inputs, ...areas, ...selects].filter(({ name }) => name !== '');
}

function selectedIn(options: string): string {
  const all = [...options.matchAll(/<option\b([^>]*)>([^<]*)/gi)].map(([, tag = '', text = '']) => {
    const { value, selected } = attributesOf(tag);
    return { value: value ?? decodeReferences(text.trim()), selected: selected !== undefined };
  });
  return (all.find(({ selected }) => selected) ?? all[0])?.value ?? '';
}

function buttonsIn(text: string): Button[] {
  const buttons = [...text.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, tag = '', inside = '']) => {
    const { name = '', value = '', type = 'submit' } = attributesOf(tag);
    return {
      name,
      value,
      type,
      text: decodeReferences(
        inside
          .replace(/<[^>]*>/g, '')
          .replace(/\s+/g, ' ')
          .trim(),
      ),
    };
  });
  const inputs = [...text.matchAll(/<input\b([^>]*)>/gi)].map(([, tag = '']) => {
    const { name = '', value = '', type = 'text' } = attributesOf(tag);
    return { name, value, type, text: value };
  });
  return [...buttons, ...inputs]
    .filter(({ type }) => type === 'submit')
    .map(({ name, value, text }) => ({ name, value, text }));
}
