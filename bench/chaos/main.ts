import { runProgram } from '../run-program.ts';
import { chaosProgram } from './program.ts';

void runProgram(chaosProgram);
