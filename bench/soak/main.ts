import { runProgram } from '../run-program.ts';
import { soakProgram } from './program.ts';

void runProgram(soakProgram);
