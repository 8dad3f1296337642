import type { MasterKey } from './envelope.ts';
import { parseId, type SnapshotId, type TreeId } from './ids.ts';
import { asCount, asList, asObject, asText, type JsonObject, optional, present } from './json-shape.ts';
import { openSealedFile, type SealedFile, sealFile } from './unpacked-file.ts';

/** What a run did. Times are RFC 3339, sizes are bytes. Every field is written, since some readers require all of them. */
export interface SnapshotSummary {
  readonly backup_start: string;
  readonly backup_end: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

/**
 * One state of a person's data, named as on the wire. `hostname` and `paths` stay the same from night to night, because
 * retention groups by them; `time` carries the offset of the plan's zone, because its buckets are calendar days of that offset.
 */
export interface Snapshot {
  readonly time: string;
  readonly parent?: SnapshotId;
  readonly tree: TreeId;
  readonly paths: readonly string[];
  readonly hostname?: string;
  readonly username?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly excludes?: readonly string[];
  readonly tags?: readonly string[];
  /** The id of the original, for a snapshot that was rewritten later. */
  readonly original?: SnapshotId;
  readonly program_version?: string;
  readonly summary?: SnapshotSummary;
}

/** The snapshot as a file. */
export function sealSnapshot(key: MasterKey, snapshot: Snapshot): SealedFile<SnapshotId> {
  return sealFile<SnapshotId>(key, inOrder(snapshot));
}

/** The snapshot in this file. Throws `repository/damaged`. */
export function openSnapshot(key: MasterKey, id: SnapshotId, bytes: Uint8Array): Snapshot {
  return openSealedFile(key, { id, bytes, what: 'snapshot' }, readSnapshot);
}

function readSnapshot(json: JsonObject): Snapshot {
  return present({
    time: asText(json.time, 'snapshot'),
    parent: optional(json.parent, parseId<SnapshotId>, 'snapshot'),
    tree: parseId<TreeId>(json.tree),
    paths: optional(json.paths, asTexts, 'snapshot') ?? [],
    hostname: optional(json.hostname, asText, 'snapshot'),
    username: optional(json.username, asText, 'snapshot'),
    uid: optional(json.uid, asCount, 'snapshot'),
    gid: optional(json.gid, asCount, 'snapshot'),
    excludes: optional(json.excludes, asTexts, 'snapshot'),
    tags: optional(json.tags, asTexts, 'snapshot'),
    original: optional(json.original, parseId<SnapshotId>, 'snapshot'),
    program_version: optional(json.program_version, asText, 'snapshot'),
    summary: optional(json.summary, parseSummary, 'snapshot'),
  }) as Snapshot;
}

function inOrder(s: Snapshot): object {
  const {
    time,
    parent,
    tree,
    paths,
    hostname,
    username,
    uid,
    gid,
    excludes,
    tags,
    original,
    program_version,
    summary,
  } = s;
  const some = <T>(list: readonly T[] | undefined) => (list?.length ? list : undefined);
  return {
    time,
    parent,
    tree,
    paths,
    hostname: hostname || undefined,
    username: username || undefined,
    uid: uid || undefined,
    gid: gid || undefined,
    excludes: some(excludes),
    tags: some(tags),
    original,
    program_version,
    summary,
  };
}

function asTexts(value: unknown, what: string): string[] {
  return asList(value, what).map((item) => asText(item, what));
}

/** Older and other writers leave fields out; a missing count is 0. */
function parseSummary(value: unknown): SnapshotSummary {
  const json: JsonObject = asObject(value, 'snapshot');
  const text = (name: string) => optional(json[name], asText, 'snapshot') ?? '';
  const count = (name: string) => optional(json[name], asCount, 'snapshot') ?? 0;
  return {
    backup_start: text('backup_start'),
    backup_end: text('backup_end'),
    files_new: count('files_new'),
    files_changed: count('files_changed'),
    files_unmodified: count('files_unmodified'),
    dirs_new: count('dirs_new'),
    dirs_changed: count('dirs_changed'),
    dirs_unmodified: count('dirs_unmodified'),
    data_blobs: count('data_blobs'),
    tree_blobs: count('tree_blobs'),
    data_added: count('data_added'),
    data_added_packed: count('data_added_packed'),
    total_files_processed: count('total_files_processed'),
    total_bytes_processed: count('total_bytes_processed'),
  };
}
