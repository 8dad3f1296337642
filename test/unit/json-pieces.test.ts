import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countJson, parsedAtOnce, piecesOfList } from '../../src/json-pieces.ts';

const piecesOf = (text: string, mostBytes?: number) => {
  const bytes = Buffer.from(text);
  return [...piecesOfList(bytes, 1, bytes.length - 1, mostBytes)];
};
const parsed = (pieces: readonly string[]) => pieces.flatMap((piece) => JSON.parse(piece) as unknown[]);

test('a list in pieces is the list, whatever is in it, and no piece is much longer than may be parsed at once', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 50 }), fc.nat(200), (items, times) => {
      const all = Array.from({ length: times }, () => items).flat();
      expect(parsed(piecesOf(JSON.stringify(all)))).toEqual(JSON.parse(JSON.stringify(all)));
    }),
    { numRuns: 30 },
  );
  const texts = Array.from({ length: 5_000 }, (_, index) => `${index} \\"],[{`.repeat(10));
  const pieces = piecesOf(JSON.stringify(texts));
  expect(parsed(pieces)).toEqual(texts);
  expect(pieces.length).toBeGreaterThan(3);
  for (const piece of pieces) expect(piece.length).toBeLessThan(parsedAtOnce + 1_000);
});

const many = '"x",'.repeat(parsedAtOnce);

test.each([
  ['ends before', `[${many}1],[2]`],
  ['ends before, in an object', `[${many}1},{2]`],
  ['has an item that is too long', `[${many}"${'x'.repeat(2_000)}"]`],
  ['has an item that is too deep to end', `[${many}${'['.repeat(2_000)}]`],
])('a list that %s is none', (_, text) => {
  expect(piecesOf(text, 1_000).at(-1)).toBe('none');
});

test.each([
  ['two commas', `[${many},1]`],
  ['a comma at its end', `[${'"x",'.repeat(parsedAtOnce / 4)}]`],
  ['a comma at the end of a later piece', `[${many}]`],
  ['a text that does not end', `[${many}"]`],
])('a list with %s is left to whoever parses it, who refuses it', (_, text) => {
  expect(() => parsed(piecesOf(text))).toThrow(SyntaxError);
});

test('members and items are counted, those in texts are not, and no further than is asked', () => {
  const text = JSON.stringify({ a: 'x:y,[{\\"', b: [1, 2, { c: {} }], 'd:,': '' });
  expect(countJson(Buffer.from(text), { members: 100, items: 100 })).toEqual({ members: 4, items: 8 });
  expect(countJson(Buffer.from(`[${'0,'.repeat(999)}0]`), { members: 5, items: 10 })).toEqual({
    members: 0,
    items: 11,
  });
  expect(countJson(Buffer.from('"not ended'), { members: 5, items: 10 })).toEqual({ members: 0, items: 0 });
});
