/** The name of a journal's segment file: the journal's, then a number that counts up. */
export function segmentName(journal: string, number: number): string {
  return `${journal}.${String(number).padStart(6, "0")}.output`;
}

export function parseSegmentName(file: string): { journal: string; number: number } | undefined {
  const match = /^(?<journal>.+)\.(?<number>\d{6,})\.output$/u.exec(file);
  if (match?.groups === undefined) return undefined;
  return { journal: match.groups["journal"] ?? "", number: Number(match.groups["number"]) };
}
