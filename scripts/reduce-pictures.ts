/**
 * Makes PNGs of pages as small as a page of few colours can be: `node scripts/reduce-pictures.ts FILE…` writes the top of each again with
 * a palette of its 256 most frequent colours (PNG, third edition, sections 9 and 11). Reads what Chromium writes: 8 bits of red,
 * green and blue, with or without alpha, not interlaced.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** What is further down, nobody looks at in a README. */
const mostRows = 880;

for (const file of process.argv.slice(2)) writeFileSync(file, reduced(readFileSync(file)));

function reduced(png: Buffer): Buffer {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height, kind] = [png.readUInt32BE(16), Math.min(png.readUInt32BE(20), mostRows), png[25]];
  if (png[24] !== 8 || (kind !== 2 && kind !== 6) || png[28] !== 0) throw new Error('This PNG is of another kind.');
  const size = kind === 6 ? 4 : 3;
  const points = unfiltered(inflateSync(Buffer.concat(data)), width * size, size);
  const colours = Array.from({ length: width * height }, (_, index) => points.readUIntBE(index * size, 3) & 0xfcfcfc);
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, 256)
    .map(([colour]) => colour);
  const indices = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));
  const rows = Buffer.alloc(height * (width + 1));
  for (const [index, colour] of colours.entries())
    rows[Math.floor(index / width) * (width + 1) + 1 + (index % width)] = indices.get(colour) ?? 0;
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(height, 4);
  header[9] = 3;
  const table = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255].map(spread)));
  const chunks = [chunk('IHDR', header), chunk('PLTE', table), chunk('IDAT', deflateSync(rows, { level: 9 }))];
  return Buffer.concat([png.subarray(0, 8), ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** Six bits as eight, so that white stays white. */
function spread(part: number): number {
  return part | (part >> 6);
}

function nearest(palette: readonly number[], colour: number): number {
  const parts = (of: number) => [of >> 16, (of >> 8) & 255, of & 255];
  const own = parts(colour);
  const far = (other: number) => parts(other).reduce((sum, part, index) => sum + (part - (own[index] ?? 0)) ** 2, 0);
  return palette.reduce((best, other, index) => (far(other) < far(palette[best] ?? 0) ? index : best), 0);
}

/** The points without the filter that each row begins with. */
function unfiltered(rows: Buffer, width: number, size: number): Buffer {
  const points = Buffer.alloc((rows.length / (width + 1)) * width);
  for (let row = 0, at = 0; row < rows.length; row += width + 1)
    for (let index = 0; index < width; index++, at++) {
      const left = index >= size ? (points[at - size] ?? 0) : 0;
      const above = at >= width ? (points[at - width] ?? 0) : 0;
      const corner = index >= size && at >= width ? (points[at - width - size] ?? 0) : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][rows[row] ?? 0] ?? 0;
      points[at] = ((rows[row + 1 + index] ?? 0) + guess) & 255;
    }
  return points;
}

function paeth(left: number, above: number, corner: number): number {
  const sum = left + above - corner;
  const [a, b, c] = [Math.abs(sum - left), Math.abs(sum - above), Math.abs(sum - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
