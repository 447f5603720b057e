// `npm run bench:plots`: draws bench/results/last-run.json anew, without measuring anything.
import { drawKept } from "./kit/keep-results.ts";

for (const name of drawKept()) console.log(`bench/results/${name}`);
