/** How far a transfer is. */
export interface TransferProgress {
  readonly transferredBytes: number;
  /** Undefined where it is not known. */
  readonly totalBytes: number | undefined;
}

/** Told of a transfer's progress; what it returns is awaited, and what it throws ends the transfer. */
export type OnProgress = (progress: TransferProgress) => unknown;
