import { defaultLimits } from "../util/limits.ts";
import type { Limits } from "../util/limits.ts";
import { count, duration, size } from "./setting.ts";
import type { Setting } from "./setting.ts";

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const TIB = 2 ** 40;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 1_440 * MINUTE;

/** The contract's Limits as settings: `exec_retention` there is --exec-retention here. */
export const limitSettings: { readonly [K in keyof Limits]: Setting<number> } = {
  maxRunningExecs: counted("maxRunningExecs", "How many commands may run at once", 1, 100_000),
  maxEndedExecs: counted("maxEndedExecs", "How many ended commands are kept readable", 0, 1_000_000),
  execRetentionMs: timed("execRetentionMs", "How long an ended command stays readable", 0, 365 * DAY),
  maxRememberedIds: counted(
    "maxRememberedIds",
    "How many ids are remembered after their output is gone",
    1,
    10_000_000,
  ),
  maxReaders: counted("maxReaders", "How many streams may read commands at once", 1, 9_000),
  maxMessageBytes: sized("maxMessageBytes", "The largest message that is taken", 64 * KIB, 64 * MIB),
  journalMemoryBytes: sized(
    "journalMemoryBytes",
    "How much of a command's newest output is kept in memory",
    64 * KIB,
    256 * MIB,
  ),
  maxJournalBytes: sized("maxJournalBytes", "How much of one command's output is kept in its file", 64 * KIB, TIB),
  maxTotalJournalBytes: sized(
    "maxTotalJournalBytes",
    "How much output of all commands is kept in files",
    MIB,
    1024 * TIB,
  ),
  readerStallTimeoutMs: timed(
    "readerStallTimeoutMs",
    "How long a reader may stand still before it is dropped",
    SECOND,
    DAY,
  ),
  readerReconnectGraceMs: timed(
    "readerReconnectGraceMs",
    "How long output is held for a reader whose stream was cut",
    0,
    DAY,
  ),
  heartbeatIntervalMs: timed(
    "heartbeatIntervalMs",
    "How long a stream stays silent before a heartbeat",
    100,
    15 * SECOND,
  ),
  maxWaitMs: timed("maxWaitMs", "The longest that a unary call waits for a change", 0, 10 * MINUTE),
  maxTimeoutMs: timed("maxTimeoutMs", "The longest timeout that a command may ask for", SECOND, 3650 * DAY),
  stdinBufferBytes: sized(
    "stdinBufferBytes",
    "How much standard input waits for a command to read it",
    4 * KIB,
    64 * MIB,
  ),
  maxLabels: counted("maxLabels", "How many labels a command may have", 0, 1_000),
  maxLabelBytes: sized("maxLabelBytes", "The longest label name or value", 1, 64 * KIB),
  maxPageSize: counted("maxPageSize", "The largest page of a list", 1, 1_000),
  maxReadBytes: sized("maxReadBytes", "The most output that one ReadOutput answers", KIB, 3 * MIB),
  requestRetentionMs: timed("requestRetentionMs", "How long the answer to a request id is remembered", 0, DAY),
  maxRememberedRequests: counted("maxRememberedRequests", "How many such answers are remembered", 0, 1_000_000),
  maxGitOperations: counted("maxGitOperations", "How many long git operations may run at once", 1, 1_000),
  gitTimeoutMs: timed("gitTimeoutMs", "How long a git operation may take", SECOND, DAY),
  maxGitReads: counted("maxGitReads", "How many git reads may run at once", 1, 1_000),
  maxDiffBytes: sized("maxDiffBytes", "The most of each text that one reply of a diff has", KIB, MIB),
  maxGitOutputBytes: sized("maxGitOutputBytes", "The most that one git process may print", MIB, 4096 * MIB),
  maxGitPageSize: counted("maxGitPageSize", "The largest page of changes or of a status", 1, 10_000),
  maxOpenUploads: counted("maxOpenUploads", "How many uploads may be under way at once", 1, 100_000),
  uploadRetentionMs: timed("uploadRetentionMs", "How long an upload waits for more bytes", SECOND, 365 * DAY),
  maxReadFileBytes: sized("maxReadFileBytes", "The most that one ReadFile answers", KIB, 3 * MIB),
  maxListPageSize: counted("maxListPageSize", "The largest page of a list of files", 1, 10_000),
  maxWatches: counted("maxWatches", "How many watches there may be at once", 0, 100_000),
  maxWatchedDirectories: counted("maxWatchedDirectories", "How many directories one watch may span", 1, 10_000_000),
  maxWatchBacklog: counted("maxWatchBacklog", "How many changes a watch keeps for its reader", 1, 10_000_000),
  watchReconnectGraceMs: timed("watchReconnectGraceMs", "How long a watch is kept for a reader that was cut", 0, DAY),
  maxSearchMatches: counted("maxSearchMatches", "The most matches that one search answers", 1, 10_000_000),
  maxUsers: counted("maxUsers", "How many other users the file and git services work as at once", 0, 1_000),
};

function counted(key: keyof Limits, help: string, min: number, max: number): Setting<number> {
  return count({ flag: flagOf(key), help, defaultValue: defaultLimits[key], min, max });
}

function timed(key: keyof Limits, help: string, min: number, max: number): Setting<number> {
  return duration({ flag: flagOf(key), help, defaultValue: defaultLimits[key], min, max });
}

function sized(key: keyof Limits, help: string, min: number, max: number): Setting<number> {
  return size({ flag: flagOf(key), help, defaultValue: defaultLimits[key], min, max });
}

function flagOf(key: string): string {
  return key.replace(/Ms$/, "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
