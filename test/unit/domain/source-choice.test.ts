import { describe, expect, it } from 'vitest';
import { sourceChoiceOf } from '../../../src/domain/source-choice.ts';

const named = {
  filesUrl: 'https://cloud.example/{preferred_username}/',
  calendarsUrl: 'https://cal.example/',
  mailUrl: 'imaps://{email}@imap.example',
};
const person = { subject: 'a', claims: { preferred_username: 'alice', email: 'alice@example.org' } };
const [files, calendars, mail] = [
  { name: 'files', url: named.filesUrl },
  { name: 'calendars', url: named.calendarsUrl },
  { name: 'mail', url: named.mailUrl },
];
const agreed = {
  files: 'https://cloud.example/alice/',
  calendars: 'https://cal.example/',
  mail: 'imaps://alice%40example.org@imap.example',
};
const chosen = ({ choosable }: ReturnType<typeof sourceChoiceOf>) =>
  choosable.map(({ name, isChosen }) => (isChosen ? name : `no ${name}`));

describe('what somebody can choose', () => {
  it('is what they agreed to, of which that is chosen which their plan names', () => {
    const choice = sourceChoiceOf(named, { person, planned: [files, mail], agreed });
    expect(chosen(choice)).toEqual(['files', 'no calendars', 'mail']);
    expect([choice.leftOut, choice.unasked]).toEqual([[], []]);
  });

  it.each([
    ['with claims in braces, as somebody agreed to it before it was known who they are', named.mailUrl, 'no mail'],
    ['at another address than the settings have now', 'imaps://alice@old.example', undefined],
  ])('counts what was agreed to %s', (_, address, box) => {
    const choice = sourceChoiceOf(named, { person, planned: [files], agreed: { ...agreed, mail: address } });
    expect(chosen(choice)).toEqual(['files', 'no calendars', ...(box === undefined ? [] : [box])]);
    expect(choice.leftOut).toEqual(box === undefined ? ['mail'] : []);
  });

  it('tells what was left out from what nobody was asked about', () => {
    const choice = sourceChoiceOf(named, {
      person,
      planned: [files],
      agreed: { files: agreed.files, leftOut: ['calendars', 'a word that nobody knows'] },
    });
    expect(chosen(choice)).toEqual(['files']);
    expect(choice).toMatchObject({ leftOut: ['calendars'], unasked: ['mail'] });
  });

  it('is what a plan names although the settings do not any more, until it is left out', () => {
    const { mailUrl: _, ...fewer } = named;
    expect(chosen(sourceChoiceOf(fewer, { person, planned: [files, mail], agreed }))).toEqual([
      'files',
      'no calendars',
      'mail',
    ]);
    expect(chosen(sourceChoiceOf(fewer, { person, planned: [files, calendars], agreed }))).toEqual([
      'files',
      'calendars',
    ]);
  });

  it('is nothing whose address needs what the provider does not tell of them', () => {
    const { email: _, ...claims } = person.claims;
    const choice = sourceChoiceOf(named, { person: { ...person, claims }, planned: [files], agreed });
    expect(chosen(choice)).toEqual(['files', 'no calendars']);
    expect([choice.leftOut, choice.unasked]).toEqual([[], []]);
  });

  it('of a record that says nothing is what the plan names', () => {
    const choice = sourceChoiceOf(named, { person, planned: [files], agreed: {} });
    expect([chosen(choice), choice.leftOut, choice.unasked]).toEqual([['files'], [], ['calendars', 'mail']]);
  });
});
