/** Says what collides in an image of buf's, a line each. */
export function nameProblems(image: Uint8Array): string[];
