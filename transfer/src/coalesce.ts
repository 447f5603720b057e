/** Gathers small pieces into blocks, so that a stream of thousands of small files costs a message a block and not a file. */
export async function* coalesce(source: AsyncIterable<Buffer>, blockBytes: number): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for await (const piece of source) {
    // A large piece goes as it is: copying it would cost more than the message.
    if (piece.length >= blockBytes / 2) {
      if (filled > 0) yield block.subarray(0, filled);
      [block, filled] = [Buffer.allocUnsafeSlow(blockBytes), 0];
      yield piece;
      continue;
    }
    const fits = piece.copy(block, filled);
    filled += fits;
    if (filled < blockBytes) continue;
    yield block;
    block = Buffer.allocUnsafeSlow(blockBytes);
    filled = piece.copy(block, 0, fits);
  }
  if (filled > 0) yield block.subarray(0, filled);
}
