/** Reads a stream of JSON values, one a line. One that is too long to keep is passed over. */
export async function* readRecords(stream: AsyncIterable<Buffer>): AsyncGenerator {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    let begin = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, begin)) {
      const line = Buffer.concat([...parts, chunk.subarray(begin, end)]);
      if (bytes <= maxRecordBytes) yield JSON.parse(line.toString("utf8"));
      [parts, bytes] = [[], 0];
      begin = end + 1;
    }
    bytes += chunk.length - begin;
    if (bytes <= maxRecordBytes) parts.push(chunk.subarray(begin));
    else parts = [];
  }
}

const newline = 0x0a;
const maxRecordBytes = 16 * 1024 * 1024;
