/** The bounds of everything that can grow, as the contract's Limits names them. */
export interface Limits {
  readonly maxRunningExecs: number;
  readonly maxEndedExecs: number;
  readonly execRetentionMs: number;
  readonly maxRememberedIds: number;
  readonly maxReaders: number;
  readonly maxMessageBytes: number;
  readonly journalMemoryBytes: number;
  readonly maxJournalBytes: number;
  readonly maxTotalJournalBytes: number;
  readonly readerStallTimeoutMs: number;
  readonly readerReconnectGraceMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxWaitMs: number;
  readonly maxTimeoutMs: number;
  readonly stdinBufferBytes: number;
  readonly maxLabels: number;
  readonly maxLabelBytes: number;
  readonly maxPageSize: number;
  readonly maxReadBytes: number;
  readonly requestRetentionMs: number;
  readonly maxRememberedRequests: number;
  readonly maxGitOperations: number;
  readonly gitTimeoutMs: number;
  readonly maxGitReads: number;
  readonly maxDiffBytes: number;
  readonly maxGitOutputBytes: number;
  readonly maxGitPageSize: number;
  readonly maxOpenUploads: number;
  readonly uploadRetentionMs: number;
  readonly maxReadFileBytes: number;
  readonly maxListPageSize: number;
  readonly maxWatches: number;
  readonly maxWatchedDirectories: number;
  readonly maxWatchBacklog: number;
  readonly watchReconnectGraceMs: number;
  readonly maxSearchMatches: number;
  readonly maxUsers: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

export const defaultLimits: Limits = {
  maxRunningExecs: 256,
  maxEndedExecs: 1_000,
  execRetentionMs: 10 * MINUTE,
  maxRememberedIds: 100_000,
  maxReaders: 1_000,
  maxMessageBytes: 4 * MIB,
  journalMemoryBytes: MIB,
  maxJournalBytes: GIB,
  maxTotalJournalBytes: 8 * GIB,
  readerStallTimeoutMs: MINUTE,
  readerReconnectGraceMs: MINUTE,
  heartbeatIntervalMs: 10 * SECOND,
  maxWaitMs: MINUTE,
  maxTimeoutMs: 365 * DAY,
  stdinBufferBytes: MIB,
  maxLabels: 64,
  maxLabelBytes: KIB,
  maxPageSize: 1_000,
  maxReadBytes: 2 * MIB,
  requestRetentionMs: 10 * MINUTE,
  maxRememberedRequests: 10_000,
  maxGitOperations: 16,
  gitTimeoutMs: 10 * MINUTE,
  maxGitReads: 16,
  maxDiffBytes: MIB,
  maxGitOutputBytes: 256 * MIB,
  maxGitPageSize: 10_000,
  maxOpenUploads: 1_000,
  uploadRetentionMs: DAY,
  maxReadFileBytes: 3 * MIB,
  maxListPageSize: 10_000,
  maxWatches: 256,
  maxWatchedDirectories: 65_536,
  maxWatchBacklog: 10_000,
  watchReconnectGraceMs: MINUTE,
  maxSearchMatches: 100_000,
  maxUsers: 16,
};
