import { createHash } from 'node:crypto';
import type { Person } from '../../demo/people.ts';

/** Further people, for scenarios that need many: guest-1, guest-2 and so on. */
export function guests(count: number): Person[] {
  return Array.from({ length: count }, (_, index) => guest(index + 1));
}

function guest(number: number): Person {
  const username = `guest-${number}`;
  const digest = createHash('sha256').update(username).digest('hex');
  const subject = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5');
  const about = { name: `Guest ${number}`, email: `${username}@demo.example`, zone: 'Europe/Berlin' };
  return { username, password: username, subject, ...about, roles: [] };
}
