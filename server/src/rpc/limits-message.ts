import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { LimitsSchema } from "@yonder/proto";
import type { Limits } from "../util/limits.ts";

/** The limits in force, as the contract tells them. */
export function limitsMessage(limits: Limits): MessageInitShape<typeof LimitsSchema> {
  return {
    maxRunningExecs: limits.maxRunningExecs,
    maxEndedExecs: limits.maxEndedExecs,
    execRetention: durationFromMs(limits.execRetentionMs),
    maxRememberedIds: limits.maxRememberedIds,
    maxReaders: limits.maxReaders,
    maxMessageBytes: limits.maxMessageBytes,
    journalMemoryBytes: BigInt(limits.journalMemoryBytes),
    maxJournalBytes: BigInt(limits.maxJournalBytes),
    maxTotalJournalBytes: BigInt(limits.maxTotalJournalBytes),
    readerStallTimeout: durationFromMs(limits.readerStallTimeoutMs),
    readerReconnectGrace: durationFromMs(limits.readerReconnectGraceMs),
    heartbeatInterval: durationFromMs(limits.heartbeatIntervalMs),
    maxWait: durationFromMs(limits.maxWaitMs),
    maxTimeout: durationFromMs(limits.maxTimeoutMs),
    stdinBufferBytes: BigInt(limits.stdinBufferBytes),
    maxLabels: limits.maxLabels,
    maxLabelBytes: limits.maxLabelBytes,
    maxPageSize: limits.maxPageSize,
    maxReadBytes: limits.maxReadBytes,
    requestRetention: durationFromMs(limits.requestRetentionMs),
    maxRememberedRequests: limits.maxRememberedRequests,
    maxGitOperations: limits.maxGitOperations,
    gitTimeout: durationFromMs(limits.gitTimeoutMs),
    maxGitReads: limits.maxGitReads,
    maxDiffBytes: limits.maxDiffBytes,
    maxGitOutputBytes: BigInt(limits.maxGitOutputBytes),
    maxGitPageSize: limits.maxGitPageSize,
    maxOpenUploads: limits.maxOpenUploads,
    uploadRetention: durationFromMs(limits.uploadRetentionMs),
    maxReadFileBytes: limits.maxReadFileBytes,
    maxListPageSize: limits.maxListPageSize,
    maxWatches: limits.maxWatches,
    maxWatchedDirectories: limits.maxWatchedDirectories,
    maxWatchBacklog: limits.maxWatchBacklog,
    watchReconnectGrace: durationFromMs(limits.watchReconnectGraceMs),
    maxSearchMatches: limits.maxSearchMatches,
    maxUsers: limits.maxUsers,
  };
}
