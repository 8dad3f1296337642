import type { Asked, Opened } from '../oidc/trial-authorization.ts';
import { evidence, quoted } from './words.ts';

/** Errors that only say that nobody is signed in or has agreed yet (OpenID Connect Core 1.0, section 3.1.2.6). */
const wantsAPerson = /^(login|interaction|consent|account_selection)_required$/;

/** Whether the provider would now ask a person. */
export function asksPerson({ opened }: Asked): boolean {
  if (opened === undefined) return false;
  if (opened.kind === 'asks') return true;
  return opened.kind === 'returned' && (opened.error === undefined || wantsAPerson.test(opened.error));
}

/** Whether the provider knows client and redirect address; undefined where that cannot be seen. */
export function isKnown({ opened }: Asked): boolean | undefined {
  if (opened === undefined || opened.kind === 'silent' || opened.kind === 'shows') return undefined;
  return opened.kind !== 'refuses';
}

/** The error that tells most: of the request that shows its reason to the browser, else of the one that was pushed. */
export function errorOf({ pushed, opened }: Asked, plain: Asked): string | undefined {
  const shown = plain.opened?.error;
  if (shown !== undefined && !wantsAPerson.test(shown)) return shown;
  if (opened?.error !== undefined) return opened.error;
  const { error } = pushed?.body ?? {};
  return typeof error === 'string' ? error : undefined;
}

/** What the provider said to a request, in brackets: where it was refused unseen, what it said to the same without pushing. */
export function wordsOf({ pushed, opened }: Asked, plain: Asked): string {
  const shown = [plain.opened, opened].find((one) => one?.error !== undefined && !wantsAPerson.test(one.error));
  if (shown !== undefined) return `(${openedWords(shown)})`;
  if (pushed !== undefined && pushed.status !== 201) return evidence(pushed);
  return `(${openedWords(plain.opened ?? opened)})`;
}

function openedWords(opened: Opened | undefined): string {
  if (opened === undefined) return 'no answer';
  if (opened.error === undefined) return opened.kind === 'refuses' ? 'a page of its own' : 'no answer';
  return [quoted(opened.error), quoted(opened.description)].filter(Boolean).join(': ');
}
