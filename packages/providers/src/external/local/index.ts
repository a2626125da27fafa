export { packRunner } from './pack-runner.ts';
export { writeLocalExecutable, writeNodeExecutable } from './write-executable.ts';
