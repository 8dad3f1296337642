import type { ErrorCode } from '../errors.ts';

/*
 * What every source of a person's data promises, whatever its protocol. A source is opened for one person and one run;
 * it finds its roots, lists collections, opens entries, and says what is unchanged.
 */

/** A collection (folder, calendar, mailbox) or an entry (file, event, message) as its collection lists it. */
export interface Member {
  readonly kind: 'collection' | 'entry';
  /**
   * The name inside its collection, decoded; never empty, '.', '..' and without '/' or NUL. Names are bytes: one that is not
   * UTF-8 comes as in src/file-name.ts. Unicode forms and case are the server's.
   */
  readonly name: string;
  /** Where the source finds it again; opaque to others. */
  readonly location: string;
  /** Bytes, where the server says; entries only. */
  readonly size?: number;
  /** Last change by the server's clock, where it says. */
  readonly modified?: Date;
  /**
   * Opaque. The same validator (and size) on another night means the same content; for a collection, the same content of everything below
   * it. Servers are sometimes wrong about it, so it is trusted for some nights only, and a sample is read all the same. Absent when the
   * server gives nothing reliable: no ETag, and an mtime too close to the listing, or a folder's ETag from a server that does not propagate
   * changes. An entry that changed within the seconds before its listing has none on any server: the next change may keep ETag, size and
   * time.
   */
  readonly validator?: string;
  /** What stays with a collection wherever it shows up, where the server says: one that holds itself shows by it. */
  readonly identity?: string;
}

/** Something that could not be backed up, and why; the run is then partial. */
export interface Problem {
  /** Path inside the source, names joined by '/'. */
  readonly path: string;
  readonly code: ErrorCode;
  /** For people: what happened. */
  readonly message: string;
}

/**
 * What a collection holds. Absence counts only in a complete listing: what is neither among the members nor named by a problem
 * is gone then. What cannot be read or listed keeps its copy of an earlier night.
 */
export interface Listing {
  /** In no particular order; names unique. */
  readonly members: readonly Member[];
  /** What the server lists but nothing can be made of: refused by a status, odd, of a name that is not allowed. */
  readonly problems: readonly ListingProblem[];
  /** There may be more than is named: the server cut it off, or names something that cannot be told apart. */
  readonly isIncomplete?: boolean;
  /** Names of what is there, and is nothing that this source is for. What one of them was on another night is kept, and is a problem: it is not gone. */
  readonly others?: readonly string[];
  /** The validator of the collection itself, as this listing says it; its parent may have listed another one before. */
  readonly validator?: string;
}

export interface ListingProblem extends Problem {
  /** The member that it concerns, where that is certain. */
  readonly name?: string;
}

/** An entry being read. What the server says here wins over the listing. */
export interface Reading {
  readonly size?: number;
  readonly modified?: Date;
  /**
   * What the content may be filed under, known once the body was read to its end: the validator of this very response, or the
   * listing's where the entry, asked again after the reading, is still listed with it and with the length that was read. Absent
   * where neither holds; the entry is then read again another night.
   */
  readonly validator?: string | undefined;
  /**
   * The content, once, with back-pressure. Resumes broken transfers by itself, and never ends early without an error. Its end
   * may throw what `open` throws: some of what it is judged by is known only then.
   * A long one holds a connection from `open` until it is read to its end or left, so open only as many as are being read.
   */
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** One of the trees that a source offers a person: their home on a WebDAV server. */
export interface Root {
  /** The folder at the top of the snapshot that it fills: "files". */
  readonly name: string;
  /** What is asked, for people: an error that concerns all of the root names it. */
  readonly address: string;
  readonly collection: Member;
}

export interface Source extends AsyncDisposable {
  /** The name of its root, or of the one that it had where it cannot say which it has. */
  readonly name: string;
  /** What is asked for the roots, for people. */
  readonly address: string;
  /** Each folder, however deep, is something by itself, as mailboxes are; otherwise only those at the top of a root are. */
  readonly isOfMailboxes?: boolean;
  /**
   * What the person has there now, found with their token when a night begins; names unique. One that was there in the night
   * before and is not offered any more is a problem that keeps its tree, not a deletion. The same errors as list.
   */
  roots(signal: AbortSignal): Promise<readonly Root[]>;
  /**
   * Lists one collection, all its pages, or not at all. Throws `source/forbidden`, `source/not-found`, `source/malformed`,
   * `source/too-large` (with `retry` where only memory is short for the moment), `source/too-slow`, `source/loop`,
   * `source/unavailable` for this collection; `source/unauthorized` ends the reading of all of the source. What
   * is not found although it was listed may be there all the same: only the collection, listed again, tells.
   */
  list(collection: Member, signal: AbortSignal): Promise<Listing>;
  /**
   * Says which entries of a listed collection will be opened, in about this order, so that a source can read many at once. Some may not be
   * opened after all, and any may be opened without it.
   */
  expect?(collection: Member, entries: readonly Member[]): void;
  /**
   * Opens an entry; the same errors as list. Only whole content is accepted: no part of it, no empty body for an entry that is listed with
   * a size, no web page or message in its place (such as a sign-in page), and no length that is neither the listed one nor that of a newer
   * version. What was compressed on the way is decoded.
   *
   * Throws `source/changed` with `retry` where another reading may settle a doubt: the same member may be opened again at once. That
   * reading is compared with how the entry is listed by then, and with the one before. Two readings of the same bytes under one validator
   * are right whatever size is listed; and a reading that begins with all of the one before is right, since only more was appended. What is
   * still doubtful is refused for good (`source/malformed`, `source/changed`), so that an earlier copy is kept.
   */
  open(entry: Member, signal: AbortSignal): Promise<Reading>;
  /**
   * Opens an entry from this byte on, for a caller that read everything before it while it was listed with the same validator. Undefined
   * where the server does not give exactly that part of exactly that version: then all of it has to be read. `size` is that of the part.
   * Otherwise as `open`. Absent where a source cannot do this.
   */
  openRest?(entry: Member, from: number, signal: AbortSignal): Promise<Reading | undefined>;
  /** How many lists and readings are worth having under way at once, for now: more would wait for each other. */
  readonly atOnce?: number;
  /** Requests sent and content bytes received so far. */
  readonly traffic: { readonly requests: number; readonly bytes: number };
}

export interface AccessToken {
  readonly token: string;
  /**
   * Where the token is bound to a key: makes the proof of possession for one request (RFC 9449, section 7). `url` is without
   * query; `nonce` is the last one that this server gave.
   */
  readonly prove?: (request: { method: string; url: string; nonce?: string | undefined }) => Promise<string>;
}

/** Hands out an access token valid for at least `minimumSeconds`; `refused` names one the server just refused. */
export type Access = (options: {
  minimumSeconds: number;
  refused?: string;
  signal: AbortSignal;
}) => Promise<AccessToken>;
