import { crc32, deflateSync } from 'node:zlib';
import { dayMs, hourMs } from '../../src/durations.ts';
import { type HeldMailboxes, mailboxIn, putInto } from '../mail/mailboxes.ts';
import type { Person } from '../people.ts';
import type { Shares } from './shares.ts';
import type { CloudTree, Path } from './tree.ts';

/** Pseudo-random numbers, determined by the seed. */
interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  bytes(length: number): Uint8Array;
}

/**
 * Adds made-up files to a tree, the same for the same seed: documents, notes, photos that open, music that does
 * not, names that make trouble, an empty file, an empty folder and one file of 3 MiB. `share` 1 is about 400 files.
 */
export function addMadeUpFiles(tree: CloudTree, seed: string, share = 1): void {
  const random = seededRandom(seed);
  const day = (back: number) => new Date(Date.UTC(2026, 0, 15, 12) - back * dayMs - random.below(86_400) * 1000);
  const write = (path: string, content: string | Uint8Array) =>
    tree.write(
      path.split('/'),
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
      day(random.below(900)),
    );
  const times = (count: number) =>
    Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, index) => index + 1);

  for (const year of [2023, 2024, 2025]) {
    for (const number of times(22)) write(`Documents/${year}/Letter ${two(number)}.txt`, letter(random, number));
    for (const number of times(8)) write(`Documents/${year}/Invoices/${year}-${two(number)}.csv`, invoice(random));
  }
  for (const month of times(12)) {
    for (const shot of times(9)) write(`Photos/2025/${two(month)}/IMG_${month}${two(shot)}.png`, picture(random));
  }
  for (const number of times(90)) write(`Notes/${pick(random, topics)} ${two(number)}.md`, note(random, number));
  for (const number of times(60)) write(`Recipes/${pick(random, dishes)} ${two(number)}.md`, note(random, number));
  for (const track of times(6))
    write(`Music/${two(track)} - ${pick(random, topics)}.ogg`, random.bytes(150_000 + random.below(150_000)));
  write('Videos/Holiday.bin', random.bytes(3 * 1024 * 1024));
  for (const name of oddNames) write(`Odd names/${name}`, `The name of this file is ${JSON.stringify(name)}.\n`);
  write('Notes/Empty.md', '');
  tree.makeFolder(['Documents', 'Nothing here yet'], day(10));
}

/** Adds a made-up calendar and a made-up address book, the same for the same seed: `share` 1 is 40 events and 25 contacts. */
export function addMadeUpDates({ calendars, contacts }: Shares, seed: string, share = 1): void {
  const random = seededRandom(`${seed} dates`);
  const long = new Date(Date.UTC(2026, 0, 15, 12));
  const write = (tree: CloudTree, path: Path, lines: readonly string[]) =>
    tree.write(path, new TextEncoder().encode(`${lines.join('\r\n')}\r\n`), long);
  for (let number = 1; number <= Math.ceil(40 * share); number++) {
    const day = new Date(Date.UTC(2026, 0, 1 + random.below(365), 8 + random.below(10)));
    write(
      calendars,
      ['Personal', `event-${two(number)}.ics`],
      event(`event-${two(number)}`, pick(random, topics), day),
    );
  }
  for (let number = 1; number <= Math.ceil(25 * share); number++) {
    const uid = `contact-${two(number)}`;
    const name = `${pick(random, givenNames)} ${pick(random, familyNames)}`;
    write(contacts, ['Friends', `${uid}.vcf`], contact(uid, name));
  }
}

/** Adds made-up mail, the same for the same seed: `share` 1 is 32 messages in three mailboxes, one of them with a picture. */
export function addMadeUpMail(mailboxes: HeldMailboxes, { name, email }: Addressee, seed: string, share = 1): void {
  const random = seededRandom(`${seed} mail`);
  const friend = { name: `${pick(random, givenNames)} ${pick(random, familyNames)}`, email: 'friend@demo.example' };
  const owner = { name, email };
  const fill = (path: string, count: number, { isSent = false } = {}) => {
    for (let number = Math.ceil(count * share); number > 0; number--) {
      const sentAt = new Date(Date.UTC(2026, 0, 15, 12) - number * 3 * dayMs - random.below(86_400) * 1000);
      const [from, to] = isSent ? [owner, friend] : [friend, owner];
      const text = `${paragraph(random)}\n\n${paragraph(random)}\n`;
      const photo = path === 'INBOX' && number === 1 ? picture(random) : undefined;
      const subject = photo === undefined ? pick(random, subjects) : 'Photo of the garden';
      const content = message({ from, to, subject, sentAt, text, picture: photo });
      putInto(mailboxIn(mailboxes, path), content, { receivedAt: sentAt, flags: number > 2 ? ['\\Seen'] : [] });
    }
    mailboxIn(mailboxes, path).attributes.push('\\Subscribed');
  };
  fill('INBOX', 18);
  fill('Sent', 8, { isSent: true });
  fill('Archive', 6);
  mailboxIn(mailboxes, 'Sent').attributes.push('\\Sent');
  mailboxIn(mailboxes, 'Archive').attributes.push('\\Archive');
}

/** Whose mail it is. */
type Addressee = Pick<Person, 'name' | 'email'>;

interface Letter {
  readonly from: Addressee;
  readonly to: Addressee;
  readonly subject: string;
  readonly sentAt: Date;
  readonly text: string;
  /** A PNG that is attached. */
  readonly picture?: Uint8Array | undefined;
}

/** A message (RFC 5322), with its picture as a second part (RFC 2046). */
export function message({ from, to, subject, sentAt, text, picture }: Letter): string {
  const head = [
    `From: ${from.name} <${from.email}>`,
    `To: ${to.name} <${to.email}>`,
    `Subject: ${/^[ -~]*$/.test(subject) ? subject : `=?UTF-8?B?${Buffer.from(subject).toString('base64')}?=`}`,
    `Date: ${sentAt.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${sentAt.getTime()}@demo.example>`,
    'MIME-Version: 1.0',
  ];
  const plain = ['Content-Type: text/plain; charset=utf-8', '', ...text.split('\n')];
  if (picture === undefined) return [...head, ...plain].join('\r\n');
  const encoded =
    Buffer.from(picture)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [
    ...[...head, 'Content-Type: multipart/mixed; boundary="part"', '', '--part', ...plain, '--part'],
    ...['Content-Type: image/png', 'Content-Disposition: attachment; filename="garden.png"'],
    ...['Content-Transfer-Encoding: base64', '', ...encoded, '--part--', ''],
  ].join('\r\n');
}

/** An iCalendar object of an event of an hour (RFC 5545). */
export function event(uid: string, summary: string, from: Date): string[] {
  const stamp = (date: Date) => `${date.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const times = [`DTSTART:${stamp(from)}`, `DTEND:${stamp(new Date(from.getTime() + hourMs))}`];
  const inside = [`UID:${uid}`, `DTSTAMP:${stamp(from)}`, ...times, `SUMMARY:${summary}`];
  return [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//nightkeep//demo//EN', 'BEGIN:VEVENT'],
    ...inside,
    ...['END:VEVENT', 'END:VCALENDAR'],
  ];
}

/** A vCard (RFC 2426). */
function contact(uid: string, name: string): string[] {
  const [given = '', family = ''] = name.split(' ');
  const mail = `${given}.${family}@demo.example`.toLowerCase();
  return [
    ...['BEGIN:VCARD', 'VERSION:3.0', `UID:${uid}`],
    ...[`N:${family};${given};;;`, `FN:${name}`, `EMAIL:${mail}`, 'END:VCARD'],
  ];
}

/** Names that careless clients stumble over; each is a file in the folder "Odd names". */
export const oddNames = [
  'with spaces  and two.txt',
  ' leading space.txt',
  'Grüße aus Köln.txt',
  'cafe\u0301 (combining).txt',
  '日本語のメモ.txt',
  '🌙 good night 🛏️.txt',
  'quotes " and \' here.txt',
  '100% sure %41 %zz.txt',
  'a+b&c=d.txt',
  'hash # and question ?.txt',
  '<angle> & ampersand;.txt',
  'semi;colon, comma.txt',
  'back\\slash.txt',
  'colon:star*pipe|.txt',
  'trailing dot.',
  'UPPER.txt',
  'upper.txt',
  '.hidden',
  '-dash.txt',
  '[brackets]{braces}~^`.txt',
  `${'long '.repeat(50)}.txt`,
];

function seededRandom(seed: string): Random {
  let state = crc32(seed) || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    below: (limit) => next() % limit,
    bytes: (length) => {
      const words = Uint32Array.from({ length: Math.ceil(length / 4) }, next);
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}

const topics = ['Garden', 'Night sky', 'Book list', 'Bicycle', 'Ideas', 'Meeting', 'Travel', 'Piano', 'Letters home'];
const subjects = [
  'Dinner on Friday?',
  'Your invoice',
  'Grüße aus Köln',
  'Re: Garden',
  'Train tickets',
  'Book list',
  'Minutes',
];
const dishes = ['Soup', 'Bread', 'Apple cake', 'Dumplings', 'Curry', 'Pancakes'];
const givenNames = ['Ada', 'Ben', 'Cleo', 'Dora', 'Emil', 'Fay', 'Gus', 'Hanna', 'Ivo', 'June'];
const familyNames = ['Archer', 'Baker', 'Carver', 'Fisher', 'Mason', 'Porter', 'Sawyer', 'Weaver'];
const words =
  'the moon rose over quiet roofs and somebody counted files while a slow train carried letters to the sea'.split(' ');

const pick = (random: Random, list: readonly string[]) => list[random.below(list.length)] ?? '';
const two = (number: number) => String(number).padStart(2, '0');
const sentence = (random: Random) =>
  `${Array.from({ length: 6 + random.below(12) }, () => pick(random, words)).join(' ')}.`;
const paragraph = (random: Random) => Array.from({ length: 2 + random.below(5) }, () => sentence(random)).join(' ');
const letter = (random: Random, number: number) =>
  `Letter ${number}\n\n${paragraph(random)}\n\n${paragraph(random)}\n\nYours\n`;
const note = (random: Random, number: number) =>
  `# Note ${number}\n\n${paragraph(random)}\n\n- ${sentence(random)}\n- ${sentence(random)}\n`;
const invoice = (random: Random) =>
  [
    'item,count,price',
    ...Array.from(
      { length: 3 + random.below(9) },
      () => `${pick(random, words)},${1 + random.below(9)},${random.below(10_000) / 100}`,
    ),
    '',
  ].join('\n');

/** A small PNG of a night sky (PNG specification, 8-bit truecolour without interlace). */
function picture(random: Random): Uint8Array {
  const [width, height] = [96, 64];
  const [red, green, blue] = [random.below(90), random.below(90), 60 + random.below(120)];
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const star = random.below(120) === 0 ? 200 : 0;
      const at = y * (1 + width * 3) + 1 + x * 3;
      rows[at] = Math.min(255, red + y + star);
      rows[at + 1] = Math.min(255, green + y + star);
      rows[at + 2] = Math.min(255, blue + star);
    }
  }
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', size),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
