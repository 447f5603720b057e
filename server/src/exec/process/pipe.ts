import { closeSync } from "node:fs";

/** Both ends of a pipe, for whoever holds them to close. */
export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

export function closePipe({ readEnd, writeEnd }: Pipe): void {
  closeSync(readEnd);
  closeSync(writeEnd);
}
