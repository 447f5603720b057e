import { describeResume } from "../e2e/exec-resume.ts";
import { wires } from "../helpers/wires.ts";

describeResume(wires.slice(1));
