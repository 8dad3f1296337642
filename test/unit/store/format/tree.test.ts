import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNames, nameFromBytes, nameToBytes } from '../../../../src/file-name.ts';
import { goJson } from '../../../../src/store/format/go-json.ts';
import { goQuote, goUnquote } from '../../../../src/store/format/go-quote.ts';
import { type DataId, parseId, type TreeId } from '../../../../src/store/format/ids.ts';
import {
  type DirNode,
  decodeNode,
  encodeNode,
  type FileNode,
  findAttribute,
  textAttribute,
} from '../../../../src/store/format/node.ts';
import { decodeTree, encodeTree, isSafeName } from '../../../../src/store/format/tree.ts';
import { treeIdOf } from '../../../support/fixtures/tree-id.ts';

const time = '2026-01-02T03:04:05.123456789Z';
const common = { mtime: time, atime: time, ctime: time, uid: 1000, gid: 1000, links: 1 };
const file = (name: string): FileNode => ({ name, type: 'file', mode: 420, ...common, size: 0, content: [] });

describe('trees', () => {
  test('an empty folder has the known id', () => {
    expect(treeIdOf({ nodes: [] })).toBe('ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8');
  });

  test('nodes are spelled field by field as restic spells them', () => {
    const data = parseId<DataId>('ab'.repeat(32));
    const node: FileNode = { ...file('<a & "b">'), size: 3, content: [data] };
    expect(encodeNode(node)).toBe(
      `{"name":"\\u003ca \\u0026 \\\\\\"b\\\\\\"\\u003e","type":"file","mode":420,"mtime":"${time}","atime":"${time}","ctime":"${time}",` +
        `"uid":1000,"gid":1000,"size":3,"links":1,"content":["${data}"]}`,
    );
    const subtree = parseId<TreeId>('cd'.repeat(32));
    const dir: DirNode = { name: 'd', type: 'dir', mode: 2147484141, ...common, subtree };
    expect(encodeNode(dir)).toContain(`"mode":2147484141,`);
    expect(encodeNode(dir).endsWith(`"links":1,"content":null,"subtree":"${subtree}"}`)).toBe(true);
  });

  test('decoding and encoding again changes nothing, numbers beyond 2^53 included', () => {
    const node =
      '{"name":"x","type":"file","mode":420,"mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z","ctime":"2026-01-02T03:04:05Z",' +
      '"uid":0,"gid":0,"inode":18446744073709551615,"size":5,"links":1,"extended_attributes":[{"name":"user.a","value":null}],"content":[]}';
    const bytes = Buffer.from(`{"nodes":[${node}]}\n`);
    expect(encodeTree(decodeTree(bytes)).toString()).toBe(bytes.toString());
  });

  test('are sorted by the bytes of the names, not by UTF-16', () => {
    const names = ['\u{1f600}', '\ufb01', 'b', 'B', 'é', 'e\u0301', 'a b', 'a'];
    const sorted = decodeTree(encodeTree({ nodes: names.map(file) })).nodes.map(({ name }) => name);
    expect(sorted).toEqual(['B', 'a', 'a b', 'b', 'e\u0301', 'é', '\ufb01', '\u{1f600}']);
  });

  test('two nodes of one name are refused', () => {
    expect(() => encodeTree({ nodes: [file('a'), file('a')] })).toThrow('same name');
  });

  test('a node that is not well formed has its name alone, and cannot be written again', () => {
    const good = JSON.parse(encodeNode(file('a')));
    for (const change of [{ type: 'door' }, { type: 'dir' }, { content: ['x'] }, { mtime: '"' }, { size: -1 }]) {
      const node = decodeNode({ ...good, ...change });
      expect(node).toMatchObject({ name: 'a', type: 'unreadable' });
      expect(() => encodeNode(node)).toThrow();
    }
  });

  test('a node without a name, and what is no tree, is refused as damage', () => {
    const damaged = expect.objectContaining({ code: 'repository/damaged' });
    expect(() => decodeNode({ ...JSON.parse(encodeNode(file('a'))), name: 5 })).toThrow(damaged);
    for (const text of ['', '[]', 'null', '{"nodes":{}}']) expect(() => decodeTree(Buffer.from(text))).toThrow(damaged);
  });

  test('attributes keep a text', () => {
    const node = { ...file('a'), extended_attributes: [textAttribute('user.dav.etag', '"x1"')] };
    expect(findAttribute(decodeNode(JSON.parse(encodeNode(node))), 'user.dav.etag')).toBe('"x1"');
    expect(findAttribute(file('a'), 'user.dav.etag')).toBeUndefined();
  });

  test('names that would leave their folder are not safe', () => {
    expect(['', '.', '..', 'a/b', 'a\0'].filter(isSafeName)).toEqual([]);
    expect(['...', 'a\\b', ' ', '-'].every(isSafeName)).toBe(true);
  });
});

describe('names', () => {
  test.each([
    ['a"b\\c', 'a\\"b\\\\c'],
    ['\x07\b\f\n\r\t\v\x01\x7f', '\\a\\b\\f\\n\\r\\t\\v\\x01\\x7f'],
    ['\u00a0\u00ad\u200d\u3000\ufeff\ue000', '\\u00a0\\u00ad\\u200d\\u3000\\ufeff\\ue000'],
    ['\u{e0041}', '\\U000e0041'],
    ['grüße 漢字 😀', 'grüße 漢字 😀'],
  ])('%j is quoted as Go quotes it', (name, quoted) => {
    expect(goQuote(name)).toBe(quoted);
    expect(goUnquote(quoted)).toBe(name);
  });

  test('bytes that are not UTF-8 survive', () => {
    const bytes = Buffer.from('ff61c3c3a9e282f09f98', 'hex');
    const name = nameFromBytes(bytes);
    expect(goQuote(name)).toBe('\\xffa\\xc3é\\xe2\\x82\\xf0\\x9f\\x98');
    expect(nameToBytes(goUnquote(goQuote(name))).equals(bytes)).toBe(true);
  });

  test('any bytes survive becoming a name, being quoted, and coming back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const name = goUnquote(JSON.parse(goJson(goQuote(nameFromBytes(bytes)))));
        return nameToBytes(name).equals(bytes);
      }),
    );
  });

  test('are ordered as their bytes are', () => {
    const name = fc.uint8Array({ maxLength: 6 }).map(nameFromBytes);
    // The unit `binary` of fast-check does the same after most of a second.
    const character = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code).toWellFormed());
    const text = fc.string({ unit: character, maxLength: 6 });
    fc.assert(
      fc.property(fc.oneof(name, text), fc.oneof(name, text), (a, b) => {
        return Math.sign(compareNames(a, b)) === Buffer.compare(nameToBytes(a), nameToBytes(b));
      }),
    );
  });

  test('an escape that Go does not know is damage', () => {
    for (const quoted of ['\\', '\\q', '\\x1', '\\ud800', '\\U00110000', '\\400']) {
      expect(() => goUnquote(quoted)).toThrow(expect.objectContaining({ code: 'repository/damaged' }));
    }
  });
});

describe('JSON as Go writes it', () => {
  test('escapes HTML and line separators, replaces lone surrogates', () => {
    expect(goJson({ a: '<>&\u2028\u2029\ud800é\n\x01' })).toBe(
      '{"a":"\\u003c\\u003e\\u0026\\u2028\\u2029\ufffdé\\n\\u0001"}',
    );
  });
});
