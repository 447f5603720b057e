import type { PathBytes } from "./path-bytes.ts";
import { joinPath } from "./path-bytes.ts";

/** Where something is or will be: what to hand to the kernel, and what to tell the caller. */
export interface Place {
  /** The absolute path, for people and replies. */
  readonly path: PathBytes;
  /** The path that the kernel is given; through an open descriptor of the directory where paths are confined. */
  readonly at: PathBytes;
  /** The directory that it lies in, as the kernel is given it. */
  readonly directory: PathBytes;
  /** Its name there; "." where it has none of its own. */
  readonly name: PathBytes;
}

/** Another name in the same directory. */
export function beside(place: Place, name: PathBytes): PathBytes {
  return joinPath(place.directory, name);
}

/** How the last name of a path is read. */
export type Follow =
  /** A link is what is meant. */
  | "no"
  /** What a link leads to is meant, and it must be there. */
  | "yes"
  /** The place that a link leads to is meant, whether something is there or not. */
  | "target";

export interface LocateOptions {
  readonly follow: Follow;
  /** Make the directories on the way that are missing. */
  readonly createParents?: boolean;
}

/** Finds places for paths, each for the time of one act. */
export interface Paths {
  /** What relative paths are relative to, absolute. */
  readonly workingDirectory: PathBytes;
  /** Whether every path is kept under one directory. */
  readonly isConfined: boolean;
  /** `path` as an absolute one, by its names alone. */
  absolute(path: PathBytes): PathBytes;
  /** Runs `act` with the place that `path` means; what the place holds open is closed after it. */
  locate<T>(path: PathBytes, options: LocateOptions, act: (place: Place) => Promise<T>): Promise<T>;
  /** Lets go of what finding places needs. */
  close(): Promise<void>;
}
